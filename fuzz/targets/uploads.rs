#![no_main]

use std::sync::LazyLock;

use fuzz::server::Server;

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| SERVER.file(bytes));
