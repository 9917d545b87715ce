//! The log as static files (c2sp.org/tlog-tiles): the checkpoint, tiles and entry bundles, in every
//! width a published size ever had.
//!
//! These routes are C2SP's, not our API's: they have no place in the `OpenAPI` document. What is
//! under a tile's path never changes, so whoever has it may keep it. An office serves them, and so
//! does a mirror: what they need is a [`Shelf`].

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRef, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use flate2::Compression;
use flate2::write::GzEncoder;
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use tokio::sync::Semaphore;
use zhao_http::Kind;
use zhao_ledger::read::{Published, Reader};
use zhao_spec::log::tile::{Kind as Content, Tile};

use super::app::App;
use super::extract::verbatim;
use super::refused::{Both, Refused};
use crate::failure::args;

const CHECKPOINT: &str = "/checkpoint";
const TILE: &str = "/tile/{*path}";
/// What is under a tile's path stays as it is: a week, as other logs say.
pub(crate) const FOR_EVER: &str = "public, max-age=604800, immutable";

/// Memory for tiles that are asked for often, bytes; the least that one counts for; and how many
/// there are about.
const TILES_BYTES: u64 = 64 << 20;
const TILE_LEAST: u64 = 256;
const TILES: usize = 1_024;

/// Reads at once.
pub(crate) const READS: usize = 16;

/// What is published, and how much of it is read at once.
#[derive(Clone)]
pub(crate) struct Shelf(Arc<Inner>);

struct Inner {
    both: Both,
    reader: Reader,
    reads: Arc<Semaphore>,
    /// Tiles and bundles asked for lately, and whether packed.
    tiles: Cache<(Tile, bool), Bytes, ByLength>,
    /// The checkpoint, and the reader's turn when it was read.
    checkpoint: Mutex<Option<(u64, Bytes)>>,
}

/// What a tile takes in memory.
#[derive(Clone, Debug)]
struct ByLength;

impl Weighter<(Tile, bool), Bytes> for ByLength {
    fn weight(&self, _: &(Tile, bool), bytes: &Bytes) -> u64 {
        u64::try_from(bytes.len())
            .unwrap_or(u64::MAX)
            .max(TILE_LEAST)
    }
}

impl FromRef<App> for Shelf {
    fn from_ref(app: &App) -> Self {
        app.shelf.clone()
    }
}

impl Shelf {
    /// What `reader` reads.
    pub(crate) fn new(reader: Reader) -> Self {
        Self(Arc::new(Inner {
            both: Both::new(),
            reader,
            reads: Arc::new(Semaphore::new(READS)),
            tiles: Cache::with_weighter(TILES, TILES_BYTES, ByLength),
            checkpoint: Mutex::new(None),
        }))
    }

    fn both(&self) -> &Both {
        &self.0.both
    }

    /// Reads in a thread for blocking work, when it is this request's turn.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Both, &Published<'_>) -> Result<T, Refused> + Send + 'static,
    ) -> Result<T, Refused> {
        let turn = self.0.reads.clone().acquire_owned().await;
        let turn = turn.map_err(|error| self.both().internal(&error))?;
        let shelf = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let both = shelf.both();
            let published = shelf.0.reader.published();
            work(both, &published.map_err(|error| both.read(error))?)
        });
        done.await
            .unwrap_or_else(|error| Err(self.both().internal(&error)))
    }
}

/// The routes.
pub(crate) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Shelf: FromRef<S>,
{
    Router::new()
        .route(CHECKPOINT, get(checkpoint))
        .route(TILE, get(tile))
}

/// Whether a route of the router is one of these.
pub(crate) fn is_static(route: &str) -> bool {
    route == CHECKPOINT || route == TILE
}

/// Headers that let a page of any site read what is public anyway.
pub(crate) fn for_everyone(response: &mut Response) {
    let headers = response.headers_mut();
    let any = HeaderValue::from_static("*");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
}

/// The newest published checkpoint.
async fn checkpoint(State(shelf): State<Shelf>) -> Response {
    let mut response = match newest(&shelf).await {
        Ok(note) => verbatim(StatusCode::OK, "text/plain; charset=utf-8", note),
        Err(refused) => refused.into_response(),
    };
    for_everyone(&mut response);
    response
}

/// The checkpoint, read once for each time that one is published.
async fn newest(shelf: &Shelf) -> Result<Bytes, Refused> {
    // Before it is read: if another one is published meanwhile, what is kept has an old turn.
    let turn = shelf.0.reader.turn();
    let keep = || {
        shelf
            .0
            .checkpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    let kept = keep().clone();
    if let (Some(turn), Some((kept, note))) = (turn, kept)
        && turn == kept
    {
        return Ok(note);
    }
    let note = shelf.read(|_, published| Ok(Bytes::from(published.note().to_owned())));
    let note = note.await?;
    *keep() = turn.map(|turn| (turn, note.clone()));
    Ok(note)
}

/// A tile, or a bundle of entries.
async fn tile(
    State(shelf): State<Shelf>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut response = found(&shelf, &path, &headers)
        .await
        .unwrap_or_else(Refused::into_response);
    for_everyone(&mut response);
    response
}

async fn found(shelf: &Shelf, path: &str, headers: &HeaderMap) -> Result<Response, Refused> {
    let tile = Tile::parse(&format!("tile/{path}"))
        .map_err(|cause| shelf.both().refuse(Kind::Malformed, "tile", &args![cause]))?;
    let entries = tile.kind == Content::Entries;
    let packed = entries && accepts_gzip(headers);
    // What is under a path never changes: whoever asked first has read it for all.
    let bytes = match shelf.0.tiles.get(&(tile, packed)) {
        Some(bytes) => bytes,
        None => {
            let bytes = shelf.read(move |both, published| {
                let bytes = published
                    .tile(&tile)
                    .map_err(|error| both.read(error))?
                    .ok_or_else(|| both.refuse(Kind::NotFound, "no-tile", &[]))?;
                match packed {
                    true => gzip(&bytes).map_err(|error| both.internal(&error)),
                    false => Ok(bytes),
                }
            });
            let bytes = Bytes::from(bytes.await?);
            shelf.0.tiles.insert((tile, packed), bytes.clone());
            bytes
        }
    };
    let mut response = verbatim(StatusCode::OK, "application/octet-stream", bytes);
    let headers = response.headers_mut();
    let kept = HeaderValue::from_static(FOR_EVER);
    headers.insert(header::CACHE_CONTROL, kept);
    if entries {
        // A cache must not hand one form to those who want the other.
        let vary = HeaderValue::from_static("accept-encoding");
        headers.insert(header::VARY, vary);
    }
    if packed {
        let gzip = HeaderValue::from_static("gzip");
        headers.insert(header::CONTENT_ENCODING, gzip);
    }
    Ok(response)
}

/// Whether `Accept-Encoding` (RFC 9110, section 12.5.3) takes gzip.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        for coding in value.to_str().unwrap_or_default().split(',') {
            let mut parts = coding.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q="));
            let wanted = weight.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0));
            if name.eq_ignore_ascii_case("gzip") {
                return wanted;
            }
            any |= name == "*" && wanted;
        }
    }
    any
}

/// The same bytes for the same bundle, always: the header has no time in it.
fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
    packed.write_all(bytes)?;
    packed.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (said, expected) in [
            (&[][..], false),
            (&["gzip"], true),
            (&["deflate, GZIP;q=0.5"], true),
            (&["br", "gzip"], true),
            (&["*"], true),
            (&["identity"], false),
            (&["gzip;q=0, *"], false),
            (&["gzip; q=0.000"], false),
            (&["*;q=0"], false),
            (&["gzip;q=many"], false),
            (&["xgzip"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in said {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            }
            assert_eq!(accepts_gzip(&headers), expected, "{said:?}");
        }
    }
}
