//! One keep-alive connection of the load: it sends a request, reads its answer to the last byte, and is free again.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::time::Instant;

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// Bytes of an answer at most: more is a defect of whatever is measured.
const MOST: usize = 32 << 20;

/// A connection, with the one request that is under way on it.
pub struct Connection {
    stream: TcpStream,
    /// What came in of the answer.
    input: Vec<u8>,
    filled: usize,
    /// Bytes of the answer, once its head says so.
    expected: Option<(u16, usize)>,
    /// What of the request the socket did not take at once.
    rest: Vec<u8>,
    /// From when its time is counted; `None` where it is free.
    since: Option<Instant>,
}

/// What a connection came to.
pub enum Turn {
    /// The answer is not whole yet.
    Wait,
    /// The answer's status, how many bytes it had, and when its request was to be sent.
    Answered(u16, usize, Instant),
}

impl Connection {
    /// Connects, and is watched under `token`.
    pub fn open(address: SocketAddr, registry: &Registry, token: usize) -> std::io::Result<Self> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        registry.register(&mut stream, Token(token), Interest::READABLE | Interest::WRITABLE)?;
        Ok(Self { stream, input: vec![0; 64 << 10], filled: 0, expected: None, rest: Vec::new(), since: None })
    }

    /// Whether no request is under way.
    pub fn is_free(&self) -> bool {
        self.since.is_none()
    }

    /// Sends a request whose time counts from `since`.
    pub fn send(&mut self, request: &[u8], since: Instant) -> std::io::Result<()> {
        self.since = Some(since);
        (self.filled, self.expected) = (0, None);
        let sent = self.write(request)?;
        self.rest.extend_from_slice(request.get(sent..).unwrap_or_default());
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut sent = 0;
        while let Some(left) = bytes.get(sent..).filter(|left| !left.is_empty()) {
            match self.stream.write(left) {
                Ok(n) => sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(sent)
    }

    /// Goes on with what the socket is ready for. A connection that failed is not used again.
    pub fn turn(&mut self) -> std::io::Result<Turn> {
        let turn = self.go_on();
        if turn.is_err() {
            self.since = None;
        }
        turn
    }

    fn go_on(&mut self) -> std::io::Result<Turn> {
        if !self.rest.is_empty() {
            let rest = std::mem::take(&mut self.rest);
            let sent = self.write(&rest)?;
            self.rest.extend_from_slice(rest.get(sent..).unwrap_or_default());
        }
        let Some(since) = self.since else { return Ok(Turn::Wait) };
        loop {
            if self.filled == self.input.len() {
                if self.filled >= MOST {
                    return Err(bad("an answer is too long"));
                }
                self.input.resize(self.filled * 2, 0);
            }
            match self.stream.read(self.input.get_mut(self.filled..).unwrap_or_default()) {
                Ok(0) => return Err(bad("the connection was closed")),
                Ok(n) => self.filled += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Turn::Wait),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            // One request is under way, so what follows the answer is not there yet: there is no need to read until the
            // socket would block.
            if let Some((status, bytes)) = self.answer()? {
                self.since = None;
                return Ok(Turn::Answered(status, bytes, since));
            }
        }
    }

    fn answer(&mut self) -> std::io::Result<Option<(u16, usize)>> {
        let got = self.input.get(..self.filled).unwrap_or_default();
        if self.expected.is_none() {
            self.expected = expected(got)?;
        }
        match self.expected {
            Some((status, bytes)) if bytes == self.filled => Ok(Some((status, bytes))),
            Some((_, bytes)) if bytes < self.filled => Err(bad("an answer is longer than it says")),
            _ => Ok(None),
        }
    }
}

/// The status of an answer and its length with its head, as far as `got` tells.
fn expected(got: &[u8]) -> std::io::Result<Option<(u16, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 48];
    let mut answer = httparse::Response::new(&mut headers);
    let head = match answer.parse(got) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(e) => return Err(bad(&e.to_string())),
    };
    let status = answer.code.unwrap_or_default();
    let find = |name: &str| answer.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value);
    if status == 304 || status == 204 {
        return Ok(Some((status, head)));
    }
    if let Some(length) = find("content-length") {
        let length = std::str::from_utf8(length).ok().and_then(|text| text.trim().parse::<usize>().ok());
        return length
            .map(|length| Some((status, head + length)))
            .ok_or_else(|| bad("an answer's length is no number"));
    }
    if find("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case(b"chunked")) {
        return Ok(chunked(got, head)?.map(|end| (status, end)));
    }
    Err(bad("an answer does not say how long it is"))
}

/// Where the chunks end that begin at `at`.
fn chunked(got: &[u8], mut at: usize) -> std::io::Result<Option<usize>> {
    loop {
        let Some(left) = got.get(at..) else { return Ok(None) };
        match httparse::parse_chunk_size(left) {
            Ok(httparse::Status::Complete((line, size))) => {
                let size = usize::try_from(size).map_err(|_| bad("a chunk is too long"))?;
                // The last chunk is empty; no peer sends trailers.
                at += line + size + 2;
                if size == 0 {
                    return Ok((got.len() >= at).then_some(at));
                }
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(bad("a chunk has no size")),
        }
    }
}

fn bad(what: &str) -> std::io::Error {
    std::io::Error::other(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_its_head_says() {
        let plain = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(expected(plain).unwrap(), Some((200, plain.len())));
        assert_eq!(expected(&plain[..20]).unwrap(), None);
        let unchanged = b"HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\n\r\n";
        assert_eq!(expected(unchanged).unwrap(), Some((304, unchanged.len())));
        let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        assert_eq!(expected(chunks).unwrap(), Some((200, chunks.len())));
        for cut in 0..chunks.len() {
            assert_eq!(expected(&chunks[..cut]).unwrap(), None, "at {cut}");
        }
        assert!(expected(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
