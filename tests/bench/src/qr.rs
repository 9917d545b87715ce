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
    bytes: Vec<f64>,
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
        self.bytes.push(float(form.len()));
        self.codes.push(float(codes(&form)?.len()));
        Ok(())
    }

    /// The figures of all of them.
    pub(crate) fn figures(self) -> Vec<Figure> {
        let note = "two cosignatures, issuer pack installed";
        vec![
            Figure::new(
                "qr-bytes",
                "QR dossier, median",
                "二维码卷宗，中位",
                median(self.bytes.clone()),
                "B",
            )
            .at_most(2_300.0)
            .note(note),
            Figure::new(
                "qr-bytes-p99",
                "QR dossier, p99",
                "二维码卷宗，p99",
                percentile(self.bytes, 99),
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
