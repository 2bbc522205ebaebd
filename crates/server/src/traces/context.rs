//! Which trace a request belongs to: W3C Trace Context, version 00.

use coffer_crypto::Random;
use http::HeaderMap;

/// The header that names the caller's trace and span.
const TRACEPARENT: &str = "traceparent";

/// A span's place in its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    /// The caller's span, if it told.
    pub(super) parent: Option<[u8; 8]>,
}

impl Context {
    /// A new span: below the caller's if that is traced, else of a trace of its own for the share `ratio` of all
    /// requests. None where the request is not traced.
    pub(super) fn of(headers: &HeaderMap, random: &Random, ratio: f64) -> Option<Self> {
        let span = not_zero(random);
        if let Some((trace, parent, is_traced)) = parent(headers) {
            return is_traced.then_some(Self {
                trace,
                span,
                parent: Some(parent),
            });
        }
        let trace = not_zero(random);
        is_in(ratio, trace).then_some(Self {
            trace,
            span,
            parent: None,
        })
    }
}

/// Zero is no id.
fn not_zero<const N: usize>(random: &Random) -> [u8; N] {
    loop {
        let id = random.bytes::<N>();
        if id != [0; N] {
            return id;
        }
    }
}

/// Whether a trace is among the share of all; the same answer wherever its id is looked at.
fn is_in(ratio: f64, trace: [u8; 16]) -> bool {
    let [.., a, b, c, d, e, f, g, h] = trace;
    let place = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 11;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    let place = place as f64 / 9_007_199_254_740_992.0;
    place < ratio
}

/// The caller's trace, span, and whether it is traced; nothing from a header that is not as it should be.
fn parent(headers: &HeaderMap) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut all = headers.get_all(TRACEPARENT).iter();
    let (header, None) = (all.next()?.to_str().ok()?, all.next()) else {
        return None;
    };
    let mut parts = header.split('-');
    let version: [u8; 1] = bytes(parts.next()?)?;
    let trace: [u8; 16] = bytes(parts.next()?)?;
    let span: [u8; 8] = bytes(parts.next()?)?;
    let [flags]: [u8; 1] = bytes(parts.next()?)?;
    let is_known = version == [0] && parts.next().is_none() || version != [0] && version != [255];
    let is_valid = is_known && trace != [0; 16] && span != [0; 8];
    is_valid.then_some((trace, span, flags & 1 == 1))
}

/// Lower-case hexadecimal digits of exactly so many bytes.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut found = [0; N];
    for (byte, pair) in found.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn context(header: &str, ratio: f64) -> Option<Context> {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, header.parse().unwrap());
        Context::of(&headers, &Random::system(), ratio)
    }

    #[test]
    fn a_caller_s_trace_goes_on() {
        let context = context(TRACED, 0.0).unwrap();
        assert_eq!((context.trace[0], context.trace[15]), (0x4b, 0x36));
        assert_eq!(
            context.parent,
            Some([0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7])
        );
        assert_eq!(self::context(&TRACED.replace("-01", "-00"), 1.0), None);
    }

    #[test]
    fn a_header_that_is_wrong_is_none() {
        for wrong in [
            "",
            "00-xyz-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            let context = context(wrong, 1.0).unwrap();
            assert_eq!(context.parent, None, "{wrong}");
        }
    }

    #[test]
    fn a_share_of_the_rest_is_traced() {
        let headers = HeaderMap::new();
        let traced = |ratio| {
            let random = Random::system();
            let tries = (0..1_000).filter(|_| Context::of(&headers, &random, ratio).is_some());
            tries.count()
        };
        assert_eq!((traced(0.0), traced(1.0)), (0, 1_000));
        assert!((150..350).contains(&traced(0.25)));
    }
}
