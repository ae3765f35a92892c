//! What is answered where nothing else can be.

use std::path::PathBuf;

use axum::http::StatusCode;
use crystal::Cause;
use datafusion::common::DataFusionError;
use tonic::Code;

/// A server that cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// What was asked for cannot be done, and the remedy.
    #[error("{0}")]
    Usage(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The session over it.
    #[error(transparent)]
    Session(#[from] sql::Error),
    /// A file that could not be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A certificate or key that cannot be read, or does not belong to the other.
    #[error("{}: {source}", path.display())]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Cause,
    },
    /// An address that cannot be listened to, or a connection that failed.
    #[error("{what}: {source}")]
    Net {
        /// Address, or what was done.
        what: String,
        /// The system's own words.
        source: std::io::Error,
    },
}

/// Why a request has no answer. Nothing in it is about the host: no path, no plan.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Of which kind.
    pub kind: Kind,
    /// One sentence for the person who asked.
    pub message: String,
}

/// Kinds of refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A request that means nothing: no SQL, no such column.
    Bad,
    /// No token, or a wrong one.
    Unknown,
    /// What this server does for no client.
    Forbidden,
    /// No such page, crystal or handle.
    Missing,
    /// Too long a text, too many rows, too much memory.
    TooMuch,
    /// Too many are asking.
    Busy,
    /// It took too long.
    Late,
    /// The client asked to stop.
    Cancelled,
    /// What a standard leaves optional, and this server leaves out.
    Unsupported,
    /// The server's own fault.
    Fault,
}

impl Kind {
    /// The status of HTTP.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Bad => StatusCode::BAD_REQUEST,
            Self::Unknown => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Missing => StatusCode::NOT_FOUND,
            Self::TooMuch => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::Late => StatusCode::GATEWAY_TIMEOUT,
            Self::Cancelled => StatusCode::CONFLICT,
            Self::Unsupported => StatusCode::NOT_IMPLEMENTED,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The status of gRPC.
    pub fn code(self) -> Code {
        match self {
            Self::Bad => Code::InvalidArgument,
            Self::Unknown => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::Missing => Code::NotFound,
            Self::TooMuch | Self::Busy => Code::ResourceExhausted,
            Self::Late => Code::DeadlineExceeded,
            Self::Cancelled => Code::Cancelled,
            Self::Unsupported => Code::Unimplemented,
            Self::Fault => Code::Internal,
        }
    }

    /// One word for it, in logs, metrics and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Unknown => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Missing => "missing",
            Self::TooMuch => "too_much",
            Self::Busy => "busy",
            Self::Late => "late",
            Self::Cancelled => "cancelled",
            Self::Unsupported => "unsupported",
            Self::Fault => "fault",
        }
    }

    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Bad,
        Self::Unknown,
        Self::Forbidden,
        Self::Missing,
        Self::TooMuch,
        Self::Busy,
        Self::Late,
        Self::Cancelled,
        Self::Unsupported,
        Self::Fault,
    ];
}

impl Refusal {
    /// Of that kind, with that sentence.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What this server does for no client.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, message)
    }

    /// A request that means nothing.
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(Kind::Bad, message)
    }

    /// Whether it is about what was asked for, and would be the same at any time: listings leave that out, and nothing else.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(self.kind, Kind::Bad | Kind::Forbidden | Kind::Missing)
    }

    /// What the engine says, its paths hidden.
    pub(crate) fn of(error: &sql::Error, hidden: &Hidden) -> Self {
        let kind = match error {
            sql::Error::Engine(error) if is_exhausted(error) => Kind::TooMuch,
            sql::Error::Engine(error) if matches!(error.find_root(), DataFusionError::ObjectStore(_)) => Kind::Fault,
            sql::Error::Store(store::StoreError::Statement(_) | store::StoreError::Snapshot { .. }) => Kind::Bad,
            sql::Error::Store(_) => Kind::Fault,
            _ => Kind::Bad,
        };
        Self::new(kind, hidden.hide(&error.to_string()))
    }
}

/// Whether the pool of memory or the space for temporary files was the limit.
fn is_exhausted(error: &DataFusionError) -> bool {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => true,
        // Behind a spilled sort it may be text alone.
        other => other.to_string().contains("Resources exhausted"),
    }
}

/// What no answer names: files of the host. Plans name those of the store without the first slash.
#[derive(Debug, Clone)]
pub(crate) struct Hidden(String);

impl Hidden {
    /// For the store in a folder.
    pub fn new(store: &std::path::Path) -> Self {
        Self(format!("{}/data/", store.display().to_string().trim_start_matches('/')))
    }

    /// The text without paths of the host: those of the store, and whatever begins like an absolute path.
    pub fn hide(&self, text: &str) -> String {
        let text = text.replace(&self.0, "…/data/");
        let mut shown = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = absolute(rest, shown.chars().next_back()) {
            shown.push_str(&rest[..at]);
            shown.push('…');
            rest = &rest[at..];
            let end = rest.find(|c: char| c.is_whitespace() || "'\"),:;]`".contains(c)).unwrap_or(rest.len());
            rest = &rest[end..];
        }
        shown.push_str(rest);
        shown
    }
}

/// Where an absolute path begins: a slash before a name, and nothing before it that would make it a fraction such as eV/atom.
fn absolute(text: &str, mut before: Option<char>) -> Option<usize> {
    let mut letters = text.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        let starts = before.is_none_or(|b| b.is_whitespace() || "'\"(=[:,`/".contains(b));
        let names = letters.peek().is_some_and(|(_, next)| next.is_alphanumeric() || "._~".contains(*next));
        if c == '/' && starts && names {
            return Some(at);
        }
        before = Some(c);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_host_are_hidden_and_units_are_not() {
        let hidden = Hidden::new(std::path::Path::new("/srv/group/store"));
        for (text, shown) in [
            ("eV/atom and 1 / 2, /v", "eV/atom and 1 / 2, …"),
            ("files=[srv/group/store/data/x.parquet]", "files=[…/data/x.parquet]"),
            ("/etc/passwd: no such file", "…: no such file"),
            ("file:///root/x.csv is gone", "file://… is gone"),
            ("'/home/a b' is no crystal", "'… b' is no crystal"),
            ("1/0.5 and a//b", "1/0.5 and a/…"),
            ("Å: é/ß", "Å: é/ß"),
        ] {
            assert_eq!(hidden.hide(text), shown);
        }
    }
}
