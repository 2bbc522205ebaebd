//! A secret as a picture that a device can read: a QR code in a PNG file.

use coffer_engine::Fault;
use qrcode::{Color, EcLevel, QrCode};

/// The bright margin that readers want around a code, in modules.
const MARGIN: usize = 4;
/// The longest stored block of a zlib stream.
const MAX_BLOCK_BYTES: usize = 0xffff;

/// A square PNG, `size` pixels wide, with the QR code of a text.
pub fn of(text: &str, size: usize) -> Result<Vec<u8>, Fault> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M);
    let code = code.map_err(|_| Fault::invalid("the address is too long for a QR code"))?;
    let (width, modules) = (code.width(), code.to_colors());
    let scale = match size / (width + 2 * MARGIN) {
        0 => size / width, // Rather without its margin than not at all.
        whole => whole,
    };
    if scale == 0 {
        return Err(Fault::Invalid(format!(
            "qr_size is too small for this secret: it needs at least {} pixels",
            width + 2 * MARGIN
        )));
    }
    let border = (size - width * scale) / 2;
    let dark = |x: usize, y: usize| {
        let module = |at: usize| at.checked_sub(border).map(|at| at / scale);
        let (Some(x), Some(y)) = (module(x), module(y)) else {
            return false;
        };
        x < width && y < width && modules.get(y * width + x) == Some(&Color::Dark)
    };
    let mut rows = Vec::with_capacity(size * (1 + size.div_ceil(8)));
    for y in 0..size {
        rows.push(0); // No filter.
        for left in (0..size).step_by(8) {
            let bits = (0..8).fold(0u8, |bits, bit| {
                let bright = left + bit < size && !dark(left + bit, y);
                bits << 1 | u8::from(bright)
            });
            rows.push(bits);
        }
    }
    Ok(png(size, &rows))
}

/// A PNG file (ISO/IEC 15948) of one bit a pixel, 1 for white.
fn png(size: usize, rows: &[u8]) -> Vec<u8> {
    let side = u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
    let mut header = [side, side].concat();
    header.extend([1, 0, 0, 0, 0]); // Depth 1, grey, deflate, the only filter method, not interlaced.
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [
        (b"IHDR", header),
        (b"IDAT", zlib(rows)),
        (b"IEND", Vec::new()),
    ] {
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX);
        file.extend(length.to_be_bytes());
        let chunk = [&kind[..], &content].concat();
        file.extend(&chunk);
        file.extend(crc32(&chunk).to_be_bytes());
    }
    file
}

/// A zlib stream (RFC 1950) that stores what it holds without compressing it.
fn zlib(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let blocks = data.chunks(MAX_BLOCK_BYTES);
    let last = blocks.len().saturating_sub(1);
    for (at, block) in blocks.enumerate() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(at == last));
        out.extend(length.to_le_bytes());
        out.extend((!length).to_le_bytes());
        out.extend(block);
    }
    out.extend(adler32(data).to_be_bytes());
    out
}

fn adler32(data: &[u8]) -> u32 {
    let (a, b) = data.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (a + b) % 65_521)
    });
    b << 16 | a
}

fn crc32(data: &[u8]) -> u32 {
    let crc = data.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    });
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
    }

    #[test]
    fn a_picture_has_the_size_that_was_asked_for() {
        for size in [100, 200, 1000] {
            let file = of("otpauth://totp/a:b?secret=ABCDEFGH", size).unwrap();
            let side = u32::try_from(size).unwrap().to_be_bytes();
            assert_eq!(&file[16..24], [side, side].concat());
            assert_eq!(&file[file.len() - 8..file.len() - 4], b"IEND");
        }
        assert!(of("otpauth://totp/a:b?secret=ABCDEFGH", 10).is_err());
        assert!(of(&"x".repeat(10_000), 1000).is_err());
    }
}
