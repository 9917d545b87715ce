use super::drawing::{QUIET, dark};
use super::*;

/// The texts that another program reads from a picture.
fn seen(picture: &[u8]) -> Vec<String> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(picture))
        .read_info()
        .unwrap();
    let mut rows = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut rows).unwrap();
    let side = usize::try_from(info.width).unwrap();
    assert_eq!(info.bit_depth, png::BitDepth::One);
    assert_eq!(info.width, info.height);
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
        let byte = rows[y * info.line_size + x / 8];
        if byte << (x % 8) & 0x80 == 0 { 0 } else { 255 }
    });
    let grids = image.detect_grids();
    grids.iter().map(|grid| grid.decode().unwrap().1).collect()
}

/// Bytes that no deflate shortens.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn another_program_reads_what_was_drawn() {
    for length in [0, 1, 100, 2_024, 2_860] {
        let texts = qr::codes(&noise(length)).unwrap();
        assert_eq!(texts.len(), 1);
        assert_eq!(seen(&png(&code(&texts[0]))), texts, "{length}");
    }
    let texts = qr::codes(&noise(5_688)).unwrap();
    assert_eq!(texts.len(), 2);
    for text in &texts {
        assert_eq!(seen(&png(&code(text))), [text.as_str()]);
    }
}

#[test]
fn a_code_is_as_large_as_the_standard_allows_and_no_larger() {
    let full = qr::codes(&noise(2_860)).unwrap().remove(0);
    assert_eq!(full.len(), 4_296);
    assert_eq!(code(&full).size, 177);
    for text in qr::codes(&noise(2_861)).unwrap() {
        assert!(text.len() < 4_296);
    }
    for text in qr::codes(&noise(65_536)).unwrap() {
        assert!(text.len() <= 4_296, "{}", text.len());
        assert!(code(&text).size <= 177);
    }
}

#[test]
fn drawing_and_picture_show_the_same_modules() {
    let text = qr::codes(b"zhao").unwrap().remove(0);
    let code = code(&text);
    let drawing = String::from_utf8(svg(&code)).unwrap();
    let side = code.size + 2 * QUIET;
    let mut modules = vec![vec![false; side]; side];
    let path = drawing.split("<path d=\"").nth(1).unwrap();
    for run in path.split('M').skip(1) {
        let (at, rest) = run.split_once('h').unwrap();
        let (x, y) = at.split_once(' ').unwrap();
        let length: usize = rest.split_once('v').unwrap().0.parse().unwrap();
        let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
        modules[y][x..x + length].fill(true);
    }
    for (y, row) in modules.iter().enumerate() {
        for (x, module) in row.iter().enumerate() {
            assert_eq!(*module, dark(&code, x, y), "{x} {y}");
            let quiet = [x, y].iter().any(|at| *at < QUIET || *at >= side - QUIET);
            assert!(!(*module && quiet), "the quiet zone is white");
        }
    }
}

#[test]
fn several_codes_get_several_names() {
    let name = |path: &str, count: usize| numbered(Path::new(path), 2, count).display().to_string();
    assert_eq!(name("d/a.b.png", 1), "d/a.b.png");
    assert_eq!(name("d/a.b.png", 3), "d/a.b-2-of-3.png");
    assert_eq!(name("a", 12), "a-2-of-12");
}
