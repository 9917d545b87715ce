//! The public query: the open licences of one enterprise, all of them, with proof.
//!
//! Who asks must know the whole code or the whole name: nothing is found by a part of either, and
//! nothing lists what there is. A code without licences is answered like any other, with the proof
//! that there are none. Persons are in no public index, so no answer can name one.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zhao_http::{EnterpriseName, Enterprises, Kind, Verbatim, limits};
use zhao_ledger::read::View;
use zhao_spec::file::Answer;
use zhao_spec::id::Uscc;

use super::app::{App, Work};
use super::extract::{Asked, Peer, Segment, answer, raw, verbatim};
use super::refused::Refused;
use crate::command::office::pack;
use crate::command::prove::public_credentials;

/// Addresses remembered before those that have not asked lately are forgotten.
const ADDRESSES: usize = 16_384;

/// How often each address may ask.
#[derive(Debug)]
pub(crate) struct Turnstile(DefaultKeyedRateLimiter<IpAddr>);

impl Turnstile {
    /// So many questions a minute from each address.
    pub(crate) fn new(each_minute: NonZeroU32) -> Self {
        Self(RateLimiter::keyed(Quota::per_minute(each_minute)))
    }

    /// Lets a question through, or not.
    ///
    /// # Errors
    /// The address has asked often enough.
    pub(crate) fn pass(&self, app: &App, peer: Peer) -> Result<(), Refused> {
        self.pass_all(app, peer, NonZeroU32::MIN)
    }

    /// As [`Turnstile::pass`], for something that counts as so many questions.
    ///
    /// # Errors
    /// The address has asked often enough, or so many are more than it may ask at all.
    pub(crate) fn pass_all(&self, app: &App, peer: Peer, count: NonZeroU32) -> Result<(), Refused> {
        match self.admits(peer, count) {
            true => Ok(()),
            false => Err(app.both.refuse(Kind::Busy, "too-often", &[])),
        }
    }

    /// Whether something that counts as so many questions may pass.
    pub(crate) fn admits(&self, peer: Peer, count: NonZeroU32) -> bool {
        let Peer::Tcp(address) = peer else {
            return true;
        };
        if self.0.len() > ADDRESSES {
            self.0.retain_recent();
        }
        matches!(self.0.check_key_n(&counted(address), count), Ok(Ok(())))
    }
}

/// What counts as one address: whoever has one IPv6 address has 2^64 of them.
fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => IpAddr::V4(four),
            None => IpAddr::V6(Ipv6Addr::from_bits(six.to_bits() >> 64 << 64)),
        },
        four => four,
    }
}

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(enterprise))
        .routes(routes!(named))
        .routes(routes!(issuer_pack))
}

/// The open licences of an enterprise, all of them, with proof (a zhao/v1 answer)
#[utoipa::path(get, path = "/v1/public/enterprises/{uscc}", tag = "public",
    params(("uscc" = String, Path, description = "Unified social credit code, whole")),
    responses((status = 200, description = "An answer", body = Object)))]
async fn enterprise(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Segment(uscc): Segment,
) -> Result<Response, Refused> {
    app.turnstile.pass(&app, peer)?;
    let uscc = Uscc::parse(&uscc).map_err(|_| app.both.refuse(Kind::Malformed, "uscc", &[]))?;
    let file = app.work(Work::Read, move |app| {
        let view = app.latest()?;
        Ok(answer_of(app, &view, &uscc)?.bytes())
    });
    Ok(verbatim(StatusCode::OK, "application/json", file.await?))
}

/// The same for every enterprise of one name, which must be given whole
#[utoipa::path(get, path = "/v1/public/enterprises", tag = "public", params(EnterpriseName),
    responses((status = 200, description = "One answer an enterprise", body = Enterprises)))]
async fn named(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
    Asked(EnterpriseName { name }): Asked<EnterpriseName>,
) -> Result<Response, Refused> {
    app.turnstile.pass(&app, peer)?;
    let count = name.chars().count();
    let fit = (2..=limits::FIND_CHARS).contains(&count) && !name.chars().any(char::is_control);
    if !fit {
        return Err(app.both.refuse(Kind::Malformed, "name", &[]));
    }
    let answers = app.work(Work::Read, move |app| answers_named(app, &name));
    let answers = answers.await?;
    Ok(answer(&app, StatusCode::OK, &Enterprises { answers }))
}

/// Who may issue what, to install beside a policy (a zhao/v1 issuer-pack)
#[utoipa::path(get, path = "/v1/public/issuer-pack", tag = "public",
    responses((status = 200, description = "An issuer pack", body = Object)))]
async fn issuer_pack(
    State(app): State<App>,
    Extension(peer): Extension<Peer>,
) -> Result<Response, Refused> {
    app.turnstile.pass(&app, peer)?;
    let file = app.work(Work::Read, |app| {
        let view = app.latest()?;
        pack(&app.records(), &app.catalogue, &view)
            .map_err(|failure| app.both.internal(&failure.cause()))
    });
    Ok(verbatim(StatusCode::OK, "application/json", file.await?))
}

fn answers_named(app: &App, name: &str) -> Result<Vec<Verbatim>, Refused> {
    let view = app.latest()?;
    let codes = app
        .records()
        .organisations_named(name, limits::SAME_NAME)
        .map_err(|error| app.both.internal(&error))?;
    let mut answers = Vec::new();
    for code in codes {
        let Ok(uscc) = Uscc::parse(&code) else {
            continue;
        };
        let found = answer_of(app, &view, &uscc)?;
        // One whose licences are all of types that are not open is not said to exist.
        if !found.items.is_empty() {
            answers.push(raw(app, found.bytes())?);
        }
    }
    Ok(answers)
}

fn answer_of(app: &App, view: &View<'_>, uscc: &Uscc) -> Result<Answer, Refused> {
    let credentials = {
        let records = app.records();
        public_credentials(view, &records, &app.catalogue, uscc)
            .map_err(|failure| app.both.internal(&failure.cause()))?
    };
    view.answer(uscc, &credentials)
        .map_err(|error| app.both.read(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_many_addresses_is_counted_once() {
        let one: IpAddr = "2001:db8:1:2::1".parse().unwrap();
        let two: IpAddr = "2001:db8:1:2:ffff::9".parse().unwrap();
        let other: IpAddr = "2001:db8:1:3::1".parse().unwrap();
        assert_eq!(counted(one), counted(two));
        assert_ne!(counted(one), counted(other));
        let mapped: IpAddr = "::ffff:192.0.2.1".parse().unwrap();
        assert_eq!(counted(mapped), "192.0.2.1".parse::<IpAddr>().unwrap());
    }
}
