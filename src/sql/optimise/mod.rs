//! Rules over logical relations. Each keeps the result, its changelog included, and its column names and types.

mod fold;
mod window;

use crate::error::Result;
use crate::plan::logical::Rel;

/// Applies all rules to one sink's relation.
///
/// # Errors
/// A constant cannot be computed (`1 / 0`).
pub(crate) fn optimise(mut rel: Rel) -> Result<Rel> {
    fold::fold(&mut rel)?;
    window::recognise(&mut rel);
    Ok(rel)
}
