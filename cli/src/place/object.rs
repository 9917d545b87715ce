//! An S3-compatible store as a place of publication. Credentials, region and endpoint come from the
//! environment, by the names that other programs use: `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, `AWS_ALLOW_HTTP`.

use std::future::Future;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, ClientConfigKey, Error, ObjectStore, ObjectStoreExt as _, PutMode,
    PutOptions, PutResult, RetryConfig, UpdateVersion,
};
use tokio::runtime::Runtime;
use zhao_ledger::publish::place::{Found, Place, PlaceError, Put, Tag};

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the store's passing errors are tried again, and for how long: what is in doubt after
/// that is looked at.
const RETRIES: usize = 3;
const RETRYING: Duration = Duration::from_secs(20);

/// A bucket, or what is under a prefix of one.
#[derive(Debug)]
pub(super) struct Bucket {
    store: AmazonS3,
    prefix: Path,
    /// Its requests are made here. An option, so that it can end wherever it is dropped.
    runtime: Option<Runtime>,
}

impl Bucket {
    /// The bucket at `s3://BUCKET/PREFIX`. Nothing is asked yet.
    pub(super) fn open(address: &str) -> Result<Self, String> {
        let words = |error: &dyn std::fmt::Display| error.to_string();
        let rest = address.strip_prefix(super::S3).unwrap_or(address);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err("names no bucket".to_owned());
        }
        // Whoever was first to choose has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let retry = RetryConfig {
            max_retries: RETRIES,
            retry_timeout: RETRYING,
            ..RetryConfig::default()
        };
        let limit = format!("{} seconds", PATIENCE.as_secs());
        let store = AmazonS3Builder::from_env()
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), &limit)
            .with_config(
                AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout),
                &limit,
            )
            .with_retry(retry)
            .with_bucket_name(bucket)
            .build()
            .map_err(|error| words(&error))?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("object-store")
            .enable_all()
            .build()
            .map_err(|error| words(&error))?;
        Ok(Self {
            store,
            prefix: Path::parse(prefix.trim_end_matches('/')).map_err(|error| words(&error))?,
            runtime: Some(runtime),
        })
    }

    fn path(&self, name: &str) -> Path {
        let parts = self.prefix.parts().map(|part| part.as_ref().to_owned());
        parts.chain(name.split('/').map(str::to_owned)).collect()
    }

    fn wait<T>(
        &self,
        name: &str,
        asked: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<T, Error>, PlaceError> {
        let runtime = self.runtime.as_ref();
        let runtime = runtime.ok_or_else(|| PlaceError::new(name, "the client has ended"))?;
        let whole = RETRYING.saturating_add(PATIENCE);
        let answer = runtime.block_on(async { tokio::time::timeout(whole, asked).await });
        answer.map_err(|_| PlaceError::new(name, "no answer in time"))
    }

    fn put(&self, name: &str, bytes: &[u8], mode: PutMode) -> Result<Put, PlaceError> {
        let options = PutOptions {
            mode,
            attributes: attributes(name),
            ..PutOptions::default()
        };
        let path = self.path(name);
        let asked = self.store.put_opts(&path, bytes.to_vec().into(), options);
        match self.wait(name, asked)? {
            Ok(PutResult { e_tag, .. }) => match e_tag {
                Some(tag) => Ok(Put::Done(Tag(tag))),
                None => Err(PlaceError::new(name, "the store gives no ETag")),
            },
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Put::Taken),
            Err(error) => Err(PlaceError::new(name, chain(&error))),
        }
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// An error with what caused it, in one line.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

/// What whoever reads the bucket over HTTP is told of an object.
fn attributes(name: &str) -> Attributes {
    let (kind, keep) = match name.split('/').next() {
        Some("checkpoint") => ("text/plain; charset=utf-8", "no-cache"),
        Some("tile") => (
            "application/octet-stream",
            "public, max-age=604800, immutable",
        ),
        _ => ("application/octet-stream", "no-store"),
    };
    Attributes::from_iter([
        (Attribute::ContentType, kind),
        (Attribute::CacheControl, keep),
    ])
}

impl Place for Bucket {
    fn get(&self, name: &str, limit: usize) -> Result<Option<Found>, PlaceError> {
        let path = self.path(name);
        let asked = async {
            let answer = self.store.get(&path).await?;
            let tag = answer.meta.e_tag.clone();
            // Before it is read: an object may be as large as the store allows.
            if answer.meta.size > u64::try_from(limit).unwrap_or(u64::MAX) {
                return Ok(Err(answer.meta.size));
            }
            let bytes = answer.bytes().await?;
            Ok(Ok((bytes, tag)))
        };
        match self.wait(name, asked)? {
            Ok(Ok((bytes, Some(tag)))) => Ok(Some(Found {
                bytes: bytes.to_vec(),
                tag: Tag(tag),
            })),
            Ok(Ok((_, None))) => Err(PlaceError::new(name, "the store gives no ETag")),
            Ok(Err(size)) => {
                let problem = format!("{size} bytes, limit {limit}");
                Err(PlaceError::new(name, problem))
            }
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(PlaceError::new(name, chain(&error))),
        }
    }

    fn create(&self, name: &str, bytes: &[u8]) -> Result<Put, PlaceError> {
        self.put(name, bytes, PutMode::Create)
    }

    fn swap(&self, name: &str, bytes: &[u8], expected: &Tag) -> Result<Put, PlaceError> {
        let version = UpdateVersion {
            e_tag: Some(expected.0.clone()),
            version: None,
        };
        self.put(name, bytes, PutMode::Update(version))
    }

    fn delete(&self, name: &str) -> Result<(), PlaceError> {
        let path = self.path(name);
        match self.wait(name, self.store.delete(&path))? {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(PlaceError::new(name, chain(&error))),
        }
    }
}
