//! Codes as drawings and as pictures. `make bench` draws with this file too.

use fast_qr::{ECL, Mode, QRBuilder, QRCode};

/// Modules of white around a code (ISO/IEC 18004 §6.3.8).
pub(crate) const QUIET: usize = 4;
/// Pixels of a module in a picture.
const PIXELS: usize = 8;
/// Pixels of a metre: 400 an inch, at which a module is half a millimetre.
const PIXELS_PER_METRE: u32 = 15_748;

/// The code of a text.
pub(crate) fn code(text: &str) -> QRCode {
    QRBuilder::new(text)
        .mode(Mode::Alphanumeric)
        .ecl(ECL::L)
        .build()
        .unwrap_or_else(|_| panic!("a code of {} characters is drawn", text.len()))
}

/// Whether the module at a place, quiet zone included, is dark.
pub(crate) fn dark(code: &QRCode, x: usize, y: usize) -> bool {
    let inside = |at: usize| at.checked_sub(QUIET).filter(|at| *at < code.size);
    match (inside(x), inside(y)) {
        (Some(x), Some(y)) => code[y][x].value(),
        _ => false,
    }
}

/// A drawing: one path of all dark runs on white, half a millimetre a module.
pub(crate) fn svg(code: &QRCode) -> Vec<u8> {
    let side = code.size + 2 * QUIET;
    let mut runs = String::new();
    for y in 0..side {
        let mut x = 0;
        while x < side {
            let length = (x..side).take_while(|x| dark(code, *x, y)).count();
            if length > 0 {
                runs.push_str(&format!("M{x} {y}h{length}v1h-{length}z"));
            }
            x += length.max(1);
        }
    }
    // A code has an odd number of modules a side.
    let size = format!("{}.5mm", side / 2);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{size}\" height=\"{size}\" \
         viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{runs}\"/></svg>\n"
    )
    .into_bytes()
}

/// A picture in black and white.
pub(crate) fn png(code: &QRCode) -> Vec<u8> {
    let side = code.size + 2 * QUIET;
    let mut rows = Vec::new();
    for y in 0..side {
        // Eight pixels of a module are one byte; set bits are white.
        let row: Vec<u8> = (0..side)
            .map(|x| if dark(code, x, y) { 0 } else { 0xff })
            .collect();
        for _ in 0..PIXELS {
            rows.extend_from_slice(&row);
        }
    }
    let pixels = u32::try_from(side * PIXELS).expect("a code has at most 177 modules a side");
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, pixels, pixels);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: PIXELS_PER_METRE,
        yppu: PIXELS_PER_METRE,
        unit: png::Unit::Meter,
    }));
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&rows))
        .expect("rows of the size announced are written to memory");
    out
}
