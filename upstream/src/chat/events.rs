//! Bytes in, whole events out, however the bytes are cut: bounded, and a little at a time.

use bytes::Bytes;
use sse_parse::SseParser;

use super::Error;

/// How much is parsed at a time: however many tiny events one read brings, few of them are held at once.
const BITE_BYTES: usize = 4 * 1024;

/// The events of a stream.
pub(super) struct Events {
    parser: SseParser,
    /// What was read and is not parsed yet.
    rest: Bytes,
}

impl Events {
    /// No event may be larger than this.
    pub(super) fn new(event_bytes: usize) -> Self {
        Self { parser: SseParser::new().max_buffer(event_bytes), rest: Bytes::new() }
    }

    /// Adds what was read; only when [`Self::next`] has nothing more.
    pub(super) fn feed(&mut self, bytes: Bytes) {
        self.rest = bytes;
    }

    /// The data of the next event that is there.
    pub(super) fn next(&mut self) -> Result<Option<String>, Error> {
        loop {
            if let Some(event) = self.parser.next_event() {
                return Ok(Some(event.data));
            }
            if self.rest.is_empty() {
                return Ok(None);
            }
            let bite = self.rest.split_to(self.rest.len().min(BITE_BYTES));
            self.parser.feed(&bite);
            if self.parser.overflows() > 0 {
                return Err(Error::TooLarge("an event"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str =
        "\u{feff}: hello\r\n\r\ndata: {\"a\":\"größer 🦀\"}\n\nid: 1\r\nevent: x\r\ndata: 1\r\ndata: 2\r\n\r\ndata:[DONE]\n\n";

    fn read(pieces: impl IntoIterator<Item = Bytes>) -> Vec<String> {
        let mut events = Events::new(1024);
        let mut all = Vec::new();
        for piece in pieces {
            events.feed(piece);
            while let Some(data) = events.next().expect("an event") {
                all.push(data);
            }
        }
        all
    }

    #[test]
    fn no_cut_changes_what_is_read() {
        let whole = Bytes::from_static(STREAM.as_bytes());
        let expected = vec!["{\"a\":\"größer 🦀\"}".to_owned(), "1\n2".to_owned(), "[DONE]".to_owned()];
        for cut in 0..=whole.len() {
            assert_eq!(read([whole.slice(..cut), whole.slice(cut..)]), expected, "cut at {cut}");
        }
        for size in 1..8 {
            assert_eq!(read(whole.chunks(size).map(Bytes::copy_from_slice)), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn broken_utf8_is_marked_and_harms_nothing_else() {
        let stream = Bytes::from_static(b"data: a\xff\xf0\x9f\n\ndata: b\n\n");
        let events = read(stream.chunks(1).map(Bytes::copy_from_slice));
        assert!(events[0].starts_with('a') && events[0].contains('\u{fffd}'), "{events:?}");
        assert_eq!(events[1], "b");
    }

    #[test]
    fn an_event_without_an_end_is_given_up() {
        let mut events = Events::new(1024);
        let mut fed = 0;
        let refused = loop {
            events.feed(Bytes::from_static(&[b'x'; 100]));
            fed += 100;
            match events.next() {
                Ok(None) => {}
                other => break other,
            }
        };
        assert_eq!(refused, Err(Error::TooLarge("an event")));
        assert!(fed <= 1200, "{fed}");
    }

    #[test]
    fn a_flood_of_tiny_events_is_taken_a_little_at_a_time() {
        let mut events = Events::new(1024);
        events.feed(b"data:x\n\n".repeat(100_000).into());
        assert_eq!(events.next(), Ok(Some("x".to_owned())));
        assert!(events.rest.len() >= 800_000 - BITE_BYTES);
    }
}
