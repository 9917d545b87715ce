//! Dossiers as printed codes: drawing them, and reading their texts.

use std::path::{Path, PathBuf};

use drawing::{code, png, svg};
use zhao_spec::file::Dossier;
use zhao_spec::log::note::NoteSignature;
use zhao_spec::qr::{self, QrError};
use zhao_spec::wire::{clip, limits};

use crate::args::Format;
use crate::failure::{Failure, args};
use crate::files;
use crate::session::Session;

mod drawing;

/// The dossier with the log's and the named cosigners' lines only; without names, with every line
/// that the form can carry.
///
/// # Errors
/// A name that is not there.
pub(crate) fn reduced(dossier: &Dossier, names: &[String]) -> Result<Dossier, Failure> {
    let note = dossier.head.proof.note();
    let origin = &dossier.head.checkpoint().origin;
    let cosigned = |line: &NoteSignature, name: &str| line.name == name && line.blob.len() == 72;
    for name in names {
        if !note.signatures().iter().any(|line| cosigned(line, name)) {
            let known: Vec<&str> = note.signatures().iter().map(|l| l.name.as_str()).collect();
            return Err(Failure::refused(
                "cosigner-unknown",
                args![actual = clip(name), expected = known.join(", ")],
            ));
        }
    }
    let keep = |line: &NoteSignature| match line.blob.len() {
        64 => line.name == *origin,
        72 => names.is_empty() || names.contains(&line.name),
        _ => false,
    };
    qr::with_lines(dossier, keep).map_err(|cause| not_carried(&cause))
}

/// Writes a dossier in its QR form, or as the codes that carry it.
///
/// # Errors
/// The form cannot carry it, or the files cannot be written.
pub(crate) fn write(
    session: &Session,
    path: &Path,
    format: Format,
    dossier: &Dossier,
) -> Result<(), Failure> {
    let form = qr::encode(dossier).map_err(|cause| not_carried(&cause))?;
    let draw = match format {
        Format::Cbor => return files::output(session, path, &form),
        Format::QrPng => png,
        Format::Json | Format::QrSvg => svg,
    };
    let texts = qr::codes(&form).map_err(|cause| not_carried(&cause))?;
    let count = texts.len();
    if count > 1 && path == Path::new("-") {
        return Err(Failure::usage("codes-several", args![count]));
    }
    for (text, number) in texts.iter().zip(1_usize..) {
        let path = numbered(path, number, count);
        files::output(session, &path, &draw(&code(text)))?;
    }
    if count > 1 {
        session.note("dossier.codes", &args![count, path = path.display()]);
    }
    Ok(())
}

/// A dossier in its QR form, with every line that the form can carry.
///
/// # Errors
/// The form cannot carry it.
pub(crate) fn cbor(dossier: &Dossier) -> Result<Vec<u8>, Failure> {
    let reduced = reduced(dossier, &[])?;
    qr::encode(&reduced).map_err(|cause| not_carried(&cause))
}

fn not_carried(cause: &QrError) -> Failure {
    Failure::refused("qr-form", args![cause])
}

/// `NAME.png` of one code, `NAME-2-of-3.png` of several.
fn numbered(path: &Path, number: usize, count: usize) -> PathBuf {
    if count == 1 {
        return path.to_owned();
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name = format!("{stem}-{number}-of-{count}");
    match path.extension() {
        Some(extension) => path.with_file_name(format!("{name}.{}", extension.to_string_lossy())),
        None => path.with_file_name(name),
    }
}

/// The file at `paths`: as it is, or the QR form that the texts of some codes stand for, one code a
/// line, in any order.
///
/// # Errors
/// Unreadable; several files that are not all of codes; codes that do not belong together.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Vec<u8>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let bytes = files::read(path, limits::EVIDENCE_BYTES)?;
        match texts(&bytes) {
            Some(texts) => all.extend(texts),
            None if paths.len() == 1 => return Ok(bytes),
            None => return Err(Failure::usage("codes-other", args![path = path.display()])),
        }
    }
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    qr::join(&all).map_err(|cause| Failure::refused("codes-wrong", args![cause]))
}

/// What a person may be shown of a file: of a QR form, the dossier it stands for.
pub(crate) fn shown(bytes: Vec<u8>) -> Vec<u8> {
    if qr::is_form(&bytes) {
        qr::expand(&bytes).unwrap_or(bytes)
    } else {
        bytes
    }
}

/// The lines of a text whose first line begins as a code does.
fn texts(bytes: &[u8]) -> Option<Vec<String>> {
    if !bytes.starts_with(b"ZHAO1") {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let lines = text.lines().filter(|line| !line.is_empty());
    Some(lines.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests;
