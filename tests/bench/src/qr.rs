//! The QR form of dossiers: what it weighs beside an installed issuer pack, and how many codes it
//! is.

use anyhow::{Result, ensure};
use zhao_spec::file::Dossier;
use zhao_spec::qr::{codes, encode, expand};

use crate::figure::Figure;
use crate::statistics::{float, mean, median, percentile};

/// Sizes of the forms seen so far.
#[derive(Default)]
pub(crate) struct Forms {
    forms: Vec<Vec<u8>>,
    codes: Vec<f64>,
}

impl Forms {
    /// Makes the form of a dossier without authorities, and expands it again.
    pub(crate) fn add(&mut self, dossier: &Dossier) -> Result<()> {
        let form = encode(dossier)?;
        ensure!(
            expand(&form)? == dossier.bytes(),
            "the form expands to another dossier"
        );
        self.codes.push(float(codes(&form)?.len()));
        self.forms.push(form);
        Ok(())
    }

    /// All of them, as they were added.
    pub(crate) fn all(&self) -> &[Vec<u8>] {
        &self.forms
    }

    /// The figures of all of them.
    pub(crate) fn figures(self) -> Vec<Figure> {
        let bytes: Vec<f64> = self.forms.iter().map(|form| float(form.len())).collect();
        let note = "two cosignatures, issuer pack installed";
        vec![
            Figure::new(
                "qr-bytes",
                "QR dossier, median",
                "二维码卷宗，中位",
                median(bytes.clone()),
                "B",
            )
            .at_most(2_300.0)
            .note(note),
            Figure::new(
                "qr-bytes-p99",
                "QR dossier, p99",
                "二维码卷宗，p99",
                percentile(bytes.clone(), 99),
                "B",
            ),
            Figure::new(
                "qr-bytes-largest",
                "QR dossier, largest",
                "二维码卷宗，最大",
                percentile(bytes, 100),
                "B",
            ),
            Figure::new(
                "qr-codes",
                "QR codes of a dossier, average",
                "每份卷宗的二维码数，平均",
                mean(&self.codes),
                "codes",
            ),
        ]
    }
}
