//! A licence type as a page for a browser: what it asks for, and its pictures (CAT-05). One file,
//! both languages, nothing fetched: it can be printed, mailed, or opened years later.

use std::fmt::Write as _;
use std::path::Path;

use zhao_issuer::catalogue::{
    Audience, CatalogueError, Entry, Faults, Picture, Template, load_picture,
};
use zhao_spec::wire::binary::encode_base64;

use super::show;
use crate::failure::{Failure, args};
use crate::home::Home;
use crate::markup::escaped;
use crate::messages::{Language, Messages};

const HEAD: &str = "<!doctype html><html lang=zh><meta charset=utf-8>\
<meta name=viewport content=\"width=device-width\">\
<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; img-src data:; \
style-src 'unsafe-inline'\"><style>body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;\
padding:0 1em}table{border-collapse:collapse}td,th{text-align:left;padding:.2em .8em .2em 0;\
vertical-align:top;border-top:1px solid #ccc}figure{margin:1em 0}img,svg{max-width:100%;\
border:1px solid #999}svg{width:30em}figcaption,small{color:#555;overflow-wrap:anywhere}\
i{font-style:normal;color:#555}</style>";

/// The page of an entry in the office at `dir`; of one that comes with the program, without.
///
/// # Errors
/// A picture is missing, or is not the one that the entry names.
pub(super) fn page(entry: &Entry, dir: Option<&Path>) -> Result<String, Failure> {
    let folder = dir
        .map(|dir| Home::open(dir).map(|home| home.catalogue()))
        .transpose()?;
    let page = Page {
        zh: Messages::new(Language::Zh),
        en: Messages::new(Language::En),
        html: HEAD.to_owned(),
        folder: folder.as_deref(),
    };
    page.whole(entry).map_err(|fault| {
        let cause = CatalogueError::Malformed {
            path: folder.clone().unwrap_or_default().join(&entry.slug),
            faults: Faults(vec![fault]),
        };
        Failure::usage("catalogue-entry", args![cause])
    })
}

type Fault = zhao_issuer::catalogue::Fault;

struct Page<'a> {
    zh: Messages,
    en: Messages,
    html: String,
    folder: Option<&'a Path>,
}

impl Page<'_> {
    fn whole(mut self, entry: &Entry) -> Result<String, Fault> {
        let (zh, en) = (escaped(&entry.names.zh), escaped(&entry.names.en));
        self.put(&format!(
            "<title>{zh} {en}</title><h1>{zh} <small lang=en>{en}</small></h1><table>"
        ));
        let standard = [
            entry.standard_level.as_str(),
            entry.standard_ref.as_deref().unwrap_or_default(),
        ];
        let openness = self.both(show::openness(entry));
        for (label, value) in [
            (
                "label.licence-type",
                format!("{} {}", entry.slug, entry.type_code),
            ),
            (
                "label.entry-version",
                format!("{} {}", entry.version, entry.digest),
            ),
            ("label.definer", entry.definer.name.clone()),
            ("label.standard", standard.join(" ")),
        ] {
            self.row(label, &escaped(&value));
        }
        self.row("label.openness", &openness);
        self.put("</table>");
        self.fields(entry);
        if let Some(template) = &entry.template {
            self.heading("catalogue.face");
            self.face(entry, template)?;
        }
        let seal = entry.seal.as_ref();
        for (heading, place, picture, name) in [
            ("label.sample", "sample", entry.sample.as_ref(), ""),
            (
                "label.seal",
                "seal.picture",
                seal.map(|seal| &seal.picture),
                seal.map_or("", |seal| &seal.name),
            ),
        ] {
            let Some(picture) = picture else { continue };
            let data = self.data(place, picture)?;
            self.heading(heading);
            let name = escaped(name);
            self.put(&format!(
                "<figure><img alt=\"{name}\" src=\"{data}\"><figcaption>{name} {}</figcaption>\
                 </figure>",
                about(picture)
            ));
        }
        self.put("</html>\n");
        Ok(self.html)
    }

    /// Secret fields are on no page (CAT-11).
    fn fields(&mut self, entry: &Entry) {
        self.heading("catalogue.fields");
        self.put("<table>");
        for field in entry
            .fields
            .iter()
            .filter(|f| entry.shows(f, Audience::User))
        {
            let needed = match field.required {
                true => String::new(),
                false => self.both("catalogue.optional"),
            };
            self.put(&format!(
                "<tr><th>{} <small lang=en>{}</small><td><code>{}</code> <small>{needed}</small>\
                 <td>{}",
                escaped(&field.titles.zh),
                escaped(&field.titles.en),
                escaped(&field.name),
                escaped(&field.purpose)
            ));
        }
        self.put("</table>");
    }

    /// The sheet in its own measures, each text where the template puts it.
    fn face(&mut self, entry: &Entry, template: &Template) -> Result<(), Fault> {
        let Template { width, height, .. } = template;
        let mut drawing =
            format!("<figure><svg viewBox=\"0 0 {width} {height}\" role=img lang=zh>");
        let mut caption = format!("{width} × {height} mm");
        if let Some(background) = &template.background {
            let data = self.data("template.background", background)?;
            let _ = write!(
                drawing,
                "<image href=\"{data}\" width=\"{width}\" height=\"{height}\" \
                 preserveAspectRatio=\"none\"/>"
            );
            let _ = write!(caption, ", {}", about(background));
        }
        for text in &template.texts {
            let title = match entry.field(&text.member) {
                Some(field) if !entry.shows(field, Audience::User) => continue,
                Some(field) => field.titles.zh.as_str(),
                None => text.member.as_str(),
            };
            let _ = write!(
                drawing,
                "<text x=\"{}\" y=\"{}\" font-size=\"{}\">[{}]</text>",
                text.x,
                text.y,
                text.size,
                escaped(title)
            );
        }
        self.put(&format!(
            "{drawing}</svg><figcaption>{caption}</figcaption></figure>"
        ));
        Ok(())
    }

    fn data(&self, place: &str, picture: &Picture) -> Result<String, Fault> {
        let bytes = load_picture(place, picture, self.folder)?;
        let media = picture.media.as_str();
        Ok(format!("data:{media};base64,{}", encode_base64(&bytes)))
    }

    fn put(&mut self, text: &str) {
        self.html.push_str(text);
    }

    fn both(&self, key: &str) -> String {
        let (zh, en) = (self.zh.text(key), self.en.text(key));
        format!("{} <i lang=en>{}</i>", escaped(&zh), escaped(&en))
    }

    fn heading(&mut self, key: &str) {
        let text = self.both(key);
        self.put(&format!("<h2>{text}</h2>"));
    }

    fn row(&mut self, label: &str, value: &str) {
        let label = self.both(label);
        self.put(&format!("<tr><th>{label}<td>{value}"));
    }
}

/// Which file it is: whoever has the entry can check it.
fn about(picture: &Picture) -> String {
    let Picture {
        bytes,
        digest,
        file,
        ..
    } = picture;
    escaped(&format!("{file}, {bytes} B, sha256 {digest}"))
}
