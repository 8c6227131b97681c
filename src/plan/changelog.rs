//! Which row kinds a stream carries.

use crate::batch::RowKind;
use std::fmt;

/// A set of row kinds, as Flink's `ChangelogMode`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Changelog(u8);

impl Changelog {
    /// `+I` only.
    pub const INSERT: Changelog = Changelog(1);
    /// `+I`, `+U`, `-D`: updates by key, without their old version.
    pub const UPSERT: Changelog = Changelog(0b1101);
    /// All four.
    pub const ALL: Changelog = Changelog(0b1111);

    /// `+I` only.
    pub fn is_insert_only(self) -> bool {
        self.0 & !1 == 0
    }

    /// Rows of that kind may come.
    pub fn contains(self, kind: RowKind) -> bool {
        self.0 >> kind as u8 & 1 != 0
    }

    /// Every kind of `other` is in it.
    pub fn covers(self, other: Changelog) -> bool {
        other.0 & !self.0 == 0
    }

    /// The kinds of both.
    #[must_use]
    pub fn union(self, other: Changelog) -> Changelog {
        Changelog(self.0 | other.0)
    }

    /// With one kind more.
    #[must_use]
    pub fn with(self, kind: RowKind) -> Changelog {
        Changelog(self.0 | 1 << kind as u8)
    }
}

impl fmt::Display for Changelog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [RowKind::Insert, RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
        let names: Vec<_> = kinds.into_iter().filter(|&k| self.contains(k)).map(RowKind::short).collect();
        f.write_str(&names.join(","))
    }
}

impl fmt::Debug for Changelog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}
