//! "Did you mean …?": the nearest of the names that exist.

/// The known name nearest to `wanted`, when it is near enough to be a slip: another case, or few letters differ.
pub(crate) fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wanted.to_lowercase();
    let allowed = (wanted.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|k| {
            let distance =
                if k.to_lowercase() == lower { 0 } else { edit_distance(&lower, &k.to_lowercase(), allowed) };
            (distance, k)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, k)| k)
}

/// The advice for a name that does not exist: `did you mean 'x'?`.
pub(crate) fn did_you_mean<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(wanted, known).map(|k| format!("did you mean '{k}'?"))
}

/// Insertions, deletions, substitutions and swaps of neighbours between two words (optimal string alignment); anything above `limit`
/// comes back as `limit + 1`.
fn edit_distance(a: &str, b: &str, limit: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = vec![];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitution = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitution.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()].min(limit + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let known = ["price", "qty", "symbol", "SUBSTRING"];
        assert_eq!(nearest("prise", known), Some("price"));
        assert_eq!(nearest("PRICE", known), Some("price"));
        assert_eq!(nearest("yqt", known), None);
        assert_eq!(nearest("qyt", known), Some("qty"));
        assert_eq!(nearest("substrnig", known), Some("SUBSTRING"));
        assert_eq!(nearest("customer", known), None);
    }
}
