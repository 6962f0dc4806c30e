//! Reading a body: not more than one may weigh, not longer than one may take, and all together not more than fits.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Limits;

/// The room for all bodies that are being read or judged.
#[derive(Clone)]
pub(super) struct Room {
    limits: Limits,
    free: Arc<Semaphore>,
}

/// A body, and the room that it takes until it is dropped.
pub(super) struct Held {
    pub(super) bytes: Bytes,
    room: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// The answer in the same room.
    pub(super) fn answered(self, answer: Vec<u8>) -> Bytes {
        struct Answered(
            Vec<u8>,
            #[expect(dead_code, reason = "held")] Option<OwnedSemaphorePermit>,
        );
        impl AsRef<[u8]> for Answered {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        Bytes::from_owner(Answered(answer, self.room))
    }
}

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("the body is larger than {} MiB", .0 >> 20)]
    TooLarge(usize),
    #[error("too many bodies at a time")]
    NoRoom,
    #[error("the body took longer than {0} s")]
    Late(u64),
    #[error("the body ended early: {0}")]
    Broken(axum::Error),
}

impl Unread {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            // Without Retry-After: the API server would ask again at once until its time is over.
            Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::Late(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Broken(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The reason as Kubernetes calls it.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "RequestEntityTooLarge",
            Self::NoRoom => "ServiceUnavailable",
            Self::Late(_) => "Timeout",
            Self::Broken(_) => "BadRequest",
        }
    }
}

impl Room {
    pub(super) fn new(limits: Limits) -> Self {
        let free = Arc::new(Semaphore::new(limits.bodies_bytes));
        Self { limits, free }
    }

    /// Reads a body to its end. Room is taken for what has come, never for what a header promises.
    pub(super) async fn read(&self, headers: &HeaderMap, body: Body) -> Result<Held, Unread> {
        let promised = headers.get(header::CONTENT_LENGTH);
        let promised: Option<usize> = promised.and_then(|text| text.to_str().ok()?.parse().ok());
        let promised = promised.unwrap_or_default();
        if promised > self.limits.body_bytes {
            return Err(Unread::TooLarge(self.limits.body_bytes));
        }
        match timeout(self.limits.body, self.collect(body, promised)).await {
            Ok(held) => held,
            Err(_) => Err(Unread::Late(self.limits.body.as_secs())),
        }
    }

    async fn collect(&self, mut body: Body, promised: usize) -> Result<Held, Unread> {
        let (mut first, mut rest) = (Bytes::new(), Vec::new());
        let mut room: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(Unread::Broken)?.into_data() else {
                continue;
            };
            let length = first.len().max(rest.len()) + data.len();
            if length > self.limits.body_bytes {
                return Err(Unread::TooLarge(self.limits.body_bytes));
            }
            let more = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let more = Arc::clone(&self.free).try_acquire_many_owned(more);
            let more = more.map_err(|_| Unread::NoRoom)?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            // Most bodies come in one piece, which is taken as it is.
            if first.is_empty() {
                first = data;
                continue;
            }
            // Memory, too, is taken by what has come: who promises much and sends little gets a little more than that.
            if rest.capacity() < length {
                rest.reserve_exact((length * 4).min(promised).max(length) - rest.len());
            }
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
        let bytes = if rest.is_empty() { first } else { rest.into() };
        Ok(Held { bytes, room })
    }
}
