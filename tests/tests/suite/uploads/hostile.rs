//! Files that are too much, or not what they seem: each is refused clearly and does no harm.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::{HOMES, counts, faults, homes, kept, send, send_bytes};
use crate::app::{TestApp, UPLOAD_ROWS};
use crate::applicants::Applicant;
use crate::limits::rest;

/// A connection over which a file is sent, as far as that.
fn sending(app: &TestApp, fens: &Applicant<'_>, file: &str, bytes: usize) -> TcpStream {
    let (host, token) = (app.address.trim_start_matches("http://"), fens.provider.token());
    let head = format!(
        "POST {HOMES}?mode=partial HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: text/csv\r\ncontent-length: {}\r\n\r\n",
        file.len(),
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&file.as_bytes()[..bytes]).unwrap();
    stream
}

on_both! {
    fn what_is_no_table_is_not_received(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let post = |media: &str, file: &[u8]| send_bytes(&fens.provider, HOMES, media, file);
        post("text/csv", b"").problem("upload_empty", 422);
        post("text/csv", b"%PDF-1.7").problem("upload_format", 422);
        post("text/csv", b"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaamimetypeapplication/vnd.oasis").problem("upload_format", 422);
        post("text/plain", homes(0..1).as_bytes()).problem("unsupported_media_type", 415);
        post("text/csv", &vec![b'a'; 12 * 1024 * 1024 + 1]).problem("too_large", 413);
        fens.provider.request("POST", &format!("{HOMES}?mode=sideways")).bytes("text/csv", b"a").send().problem("unreadable", 400);
        assert!(fens.provider.all("/v1/uploads").is_empty());
    }

    fn a_file_that_cannot_be_used_is_rejected_as_a_whole(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let rows = u32::try_from(UPLOAD_ROWS).unwrap();
        let code = |file: &[u8]| {
            let path = format!("{HOMES}?mode=partial");
            let id = send_bytes(&fens.provider, &path, "application/octet-stream", file).expect(201).state("rejected").id();
            faults(&fens.provider, &id).into_iter().map(|f| (f.0, f.1, f.3)).collect::<Vec<_>>()
        };
        assert_eq!(code(homes(0..rows + 1).as_bytes())[0].2, "too_many_rows");
        assert_eq!(code(b"name,kind\n"), [(0, Value::Null, "no_rows".to_owned())]);
        assert_eq!(code(b"name,colour\nA,red\n"), [
            (1, json!("colour"), "unknown_column".to_owned()), (1, json!("kind"), "missing_column".to_owned()),
        ]);
        assert_eq!(code(b"a,b\n1,2\n")[0].2, "no_headings");
        assert_eq!(code(b"name,kind\n\"open,castle\n")[0].2, "unclosed_quote");
        assert_eq!(code(b"name,kind\nA\0B,childrens_home\n")[0].2, "not_text");
        assert_eq!(kept(&fens), 0);
    }

    fn a_hostile_cell_is_one_refused_row(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let long = format!("name,kind\nGood,childrens_home\n{},childrens_home\n", "x".repeat(10 * 1024 * 1024));
        let done = send(&fens.provider, &format!("{HOMES}?mode=partial"), &long).expect(201).state("partial");
        assert_eq!(counts(&done.body), [2, 1, 0, 0, 1, 0]);
        assert_eq!(faults(&fens.provider, &done.id())[0].3, "long_cell");
        assert_eq!(kept(&fens), 1);
        // What a spreadsheet would run comes back as text.
        let formula = "name,kind\n\"=cmd|'/c calc'!A1\",castle\n";
        let done = send(&fens.provider, HOMES, formula).expect(201).state("rejected");
        let file = fens.provider.get(&format!("/v1/uploads/{}/rejected", done.id())).expect(200);
        assert!(!file.text.contains(",=") && !file.text.contains("\n="), "{}", file.text);
    }

    fn a_file_that_does_not_arrive_in_time_leaves_nothing(app: &TestApp) {
        let app = &TestApp::tuned(app.database.kind, |config| {
            (config.uploads.seconds, config.bounds.idle) = (1, Duration::from_secs(1));
        });
        let fens = Applicant::new(app, "Fens Care");
        let file = homes(0..10);
        let stream = sending(app, &fens, &file, file.len() / 2);
        let answer = rest(stream);
        assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("\"too_slow\""), "{answer}");
        assert!(fens.provider.all("/v1/uploads").is_empty());
        assert_eq!(kept(&fens), 0);
    }

    fn a_stream_that_is_cut_off_leaves_nothing(app: &TestApp) {
        let fens = Applicant::new(app, "Fens Care");
        let file = homes(0..u32::try_from(UPLOAD_ROWS).unwrap());
        let stream = sending(app, &fens, &file, file.len() / 2);
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        // The server has done with it when it closes.
        drop(rest(stream));
        assert!(fens.provider.all("/v1/uploads").is_empty());
        assert_eq!(kept(&fens), 0);
    }
}
