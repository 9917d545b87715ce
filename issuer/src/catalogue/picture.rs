//! Pictures of a type: files in the folder `pictures` beside the entries, named by the entry with
//! size, SHA-256 and media type, so that whoever has the entry can check the file.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use zhao_spec::wire::sha256;

use super::{Entry, Fault, Media, Picture, Rule};

/// Folder of the pictures, beside the entries.
pub const PICTURES: &str = "pictures";
/// One picture, bytes: a page at 150 dots an inch.
pub const PICTURE_BYTES: usize = 512 << 10;
/// Longest side, pixels: more would only fill the memory of whoever shows it.
const SIDE: u32 = 4096;

/// What is wrong with the files of the pictures that the entry names; `dir` is the entry's folder.
#[must_use]
pub fn check_pictures(entry: &Entry, dir: &Path) -> Vec<Fault> {
    entry
        .pictures()
        .filter_map(|(place, picture)| load_picture(place, picture, Some(dir)).err())
        .collect()
}

/// The bytes of a picture that an entry in the folder `dir` names at `place`; of an entry that
/// comes with the program, if there is no folder.
///
/// # Errors
/// There is no such file, or it is not the one that the entry names.
pub fn load_picture(place: &str, picture: &Picture, dir: Option<&Path>) -> Result<Vec<u8>, Fault> {
    let bytes = match dir {
        Some(dir) => read(&dir.join(PICTURES).join(&picture.file)),
        None => super::embedded_picture(&picture.file)
            .map(<[u8]>::to_vec)
            .ok_or_else(|| std::io::ErrorKind::NotFound.into()),
    };
    let bytes = bytes.map_err(|cause| absent(place, picture, &cause))?;
    match judge(place, picture, &bytes) {
        None => Ok(bytes),
        Some(fault) => Err(fault),
    }
}

fn absent(place: &str, picture: &Picture, cause: &std::io::Error) -> Fault {
    Fault::new(
        format!("{place}.file"),
        Rule::PictureFile,
        &format!("{}: {cause}", picture.file),
    )
}

/// At most one byte more than a picture may have.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let limit = u64::try_from(PICTURE_BYTES).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The first thing that is wrong with a picture's bytes.
fn judge(place: &str, picture: &Picture, bytes: &[u8]) -> Option<Fault> {
    let fault = |member: &str, rule, actual: &str| {
        Some(Fault::new(format!("{place}.{member}"), rule, actual))
    };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if bytes.len() > PICTURE_BYTES {
        return fault(
            "file",
            Rule::PictureSize,
            &format!("more than {PICTURE_BYTES} bytes"),
        );
    }
    if length != picture.bytes {
        return fault("bytes", Rule::PictureBytes, &picture.bytes.to_string());
    }
    if sha256(&[bytes]) != picture.digest {
        return fault("digest", Rule::PictureDigest, &picture.digest.to_string());
    }
    let size = match picture.media {
        Media::Png => png_size(bytes),
        Media::Jpeg => jpeg_size(bytes),
    };
    match size {
        None => fault("mediaType", Rule::PictureMedia, picture.media.as_str()),
        Some((width, height)) if !fits(width) || !fits(height) => {
            fault("file", Rule::PictureSize, &format!("{width} x {height}"))
        }
        Some(_) => None,
    }
}

fn fits(side: u32) -> bool {
    (1..=SIDE).contains(&side)
}

/// Width and height of a PNG (ISO/IEC 15948 §11.2.2).
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    let header = rest.strip_prefix(b"\x00\x00\x00\x0dIHDR")?;
    let (width, rest) = header.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

/// Width and height of a JPEG: those of its first frame header (ISO/IEC 10918-1 §B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(b"\xff\xd8")?;
    loop {
        let ([0xff, marker], after) = rest.split_first_chunk()? else {
            return None;
        };
        // Markers may be padded with any number of 0xff.
        if *marker == 0xff {
            rest = rest.get(1..)?;
            continue;
        }
        let (length, _) = after.split_first_chunk()?;
        let segment = after.get(2..usize::from(u16::from_be_bytes(*length)))?;
        match marker {
            // Frame headers; 0xc4, 0xc8 and 0xcc are other things.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                let (height, after) = segment.get(1..)?.split_first_chunk()?;
                let (width, _) = after.split_first_chunk()?;
                let side = |bytes: &[u8; 2]| u32::from(u16::from_be_bytes(*bytes));
                return Some((side(width), side(height)));
            }
            // The scan, or the end, without a frame before it.
            0xda | 0xd9 => return None,
            _ => rest = after.get(usize::from(u16::from_be_bytes(*length))..)?,
        }
    }
}
