//! Bodies of push, pull and return, as somebody sends them.

use standpipe_domain::ids::Millis;
use standpipe_oplog::chain::link;
use standpipe_oplog::snapshot::{Pages, framed};
use standpipe_oplog::wire::{
    MAX_BODY, MAX_OPS, Malformed, PullHead, decode_pull, decode_push, decode_return, encode_pull,
    encode_push, encode_return,
};
use uuid::Uuid;

/// Reads `data` as each body of the wire: as it is, and packed, so that what stands behind the decompression is reached
/// too. What reads is written and read again.
///
/// # Panics
/// Where a limit does not hold, or what was read is written as something else.
pub fn wire(data: &[u8]) {
    read(data);
    take_apart(data);
    if let Ok(packed) = zstd::bulk::compress(data, 1) {
        read(&packed);
    }
}

/// As a snapshot that comes in: what comes out of it is what went in, and nothing that is longer than a page may be.
fn take_apart(answer: &[u8]) {
    let (mut pages, mut again) = (Pages::default(), Vec::new());
    pages.take(answer);
    while let Ok(Some(page)) = pages.page() {
        assert!(page.len() <= MAX_BODY);
        again.extend(framed(&page));
    }
    assert!(answer.starts_with(&again), "pages are made of what came");
}

fn read(body: &[u8]) {
    if let Some((head, lines)) = taken(decode_push(body)) {
        assert!(lines.len() <= MAX_OPS);
        let texts: Vec<&str> = lines
            .iter()
            .map(|line| match line {
                Ok(written) => &*written.body,
                Err((text, _)) => text,
            })
            .collect();
        assert!(texts.iter().map(|text| text.len()).sum::<usize>() <= MAX_BODY);
        let mut prev = head.prev_hash;
        for (line, text) in lines.iter().zip(&texts) {
            prev = link(prev, text);
            assert!(!line.as_ref().is_ok_and(|written| written.hash != prev), "a chain has one hash");
        }
        let again = encode_push(&head, texts.iter().copied()).expect("what was read can be packed");
        if let Some((same, again)) = taken(decode_push(&again)) {
            assert_eq!(same, head);
            assert_eq!(again.len(), lines.len());
            assert!(again.iter().zip(&lines).all(|pair| match pair {
                (Ok(a), Ok(b)) => a == b,
                (Err((a, _)), Err((b, _))) => a == b,
                _ => false,
            }));
        }
    }
    comes_back(body);
    if let Some((head, ops)) = taken(decode_pull(body)) {
        // The hub's own marks are letters and digits; the others' are not written again.
        let plain = |mark: &str| mark.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let marks: Option<Vec<&str>> =
            ops.iter().map(|op| op.receipt.as_deref().filter(|mark| plain(mark))).collect();
        if let Some(marks) = marks {
            let lines = ops.iter().zip(marks).map(|(op, mark)| (op.seq, op.at, mark, &*op.body));
            let again = encode_pull(&head, lines).expect("what was read can be packed");
            if let Some(again) = taken(decode_pull(&again)) {
                assert_eq!(again, (head, ops));
            }
        }
    }
    if let Some((more, ops)) = taken(decode_return(body)) {
        let again = encode_return(&ops, more).expect("what was read can be packed");
        if let Some(again) = taken(decode_return(&again)) {
            assert_eq!(again, (more, ops));
        }
    }
}

/// What a push brings comes in a pull byte for byte: both ends add up the same.
fn comes_back(push: &[u8]) {
    let Some((_, lines)) = taken(decode_push(push)) else { return };
    let bodies: Vec<&str> = lines.iter().flatten().map(|written| &*written.body).collect();
    let head = PullHead {
        protocol: 1,
        hub_epoch: Uuid::nil(),
        from: 0,
        next: 0,
        more: false,
        checksum: String::new(),
        now: Millis(0),
    };
    let page =
        encode_pull(&head, bodies.iter().map(|body| (0, Millis(0), "", *body))).expect("it can be packed");
    if let Some((_, ops)) = taken(decode_pull(&page)) {
        assert!(ops.iter().map(|op| &*op.body).eq(bodies));
    }
}

/// What was read; a refusal has words and a code. Written again it may be longer, and then too large.
fn taken<T>(read: Result<T, Malformed>) -> Option<T> {
    read.inspect_err(|error| assert!(!error.code().is_empty() && !error.to_string().is_empty())).ok()
}
