//! Parts of ROW columns become columns of their own where the source can give them so: `bid.price` is then read, and `bid` is not.
//!
//! Flink's SupportsProjectionPushDown with nested projection. A scan of a table whose source says [`SourceInfo::nested`] gets, behind
//! the declared columns, one column for every part of its ROW columns; all scans of a table number them alike, so that they still
//! become one scan of the graph. Computed columns and the watermark read parts at once. A projection reads parts of those columns that
//! neither it nor anything between it and the scan reads whole; [`prune`](super::prune) then drops the whole ones. Where another
//! reader of the same scan needs the whole row, the graph takes the part from that.
//!
//! [`SourceInfo::nested`]: crate::plan::connector::SourceInfo::nested

use crate::batch::{Field, TypeKind};
use crate::expr::{Expr, ExprKind};
use crate::plan::logical::{ColumnSource, Rel, RelKind, ScanColumn, TableScan};
use std::collections::{BTreeMap, BTreeSet};

/// Splits ROW columns in a whole tree.
pub(super) fn split(mut rel: Rel) -> Rel {
    if let RelKind::Scan(scan) = &mut rel.kind {
        expand(scan);
    }
    for input in rel.inputs_mut() {
        let taken = std::mem::replace(input, Rel::one_row(input.span));
        *input = split(taken);
    }
    if let RelKind::Project { input, exprs } = &mut rel.kind {
        read_parts(input, exprs);
    }
    rel
}

/// Adds a column for each part of the scan's ROW columns, and lets computed columns and the watermark read those.
fn expand(scan: &mut TableScan) {
    if !scan.info.nested {
        return;
    }
    let mut parts = vec![];
    for (n, column) in scan.columns.iter().enumerate() {
        if matches!(column.from, ColumnSource::Physical(_)) {
            add_parts(&column.field, &mut vec![n], &mut parts);
        }
    }
    let numbers: BTreeMap<Vec<usize>, usize> =
        parts.iter().enumerate().map(|(i, (path, _))| (path.clone(), scan.columns.len() + i)).collect();
    let replace = |e: &mut Expr| {
        let mut uses = Uses::default();
        uses.of(e);
        let kept = uses.parts(|_| true);
        rewrite(e, &|path| kept.contains(path).then(|| numbers[path]), &|c| c);
    };
    for column in &mut scan.columns {
        if let ColumnSource::Computed(e) = &mut column.from {
            replace(e);
        }
    }
    if let Some((_, e)) = &mut scan.watermark {
        replace(e);
    }
    scan.columns
        .extend(parts.into_iter().map(|(path, field)| ScanColumn { field, from: ColumnSource::Leaf(path) }));
}

/// All parts of `field`, whose path is `path`: outer ones first.
fn add_parts(field: &Field, path: &mut Vec<usize>, to: &mut Vec<(Vec<usize>, Field)>) {
    let TypeKind::Row(fields) = &field.ty.kind else { return };
    for (n, inner) in fields.iter().enumerate() {
        path.push(n);
        let ty = inner.ty.clone().with_nullable(inner.ty.nullable || field.ty.nullable);
        let part = Field::new(format!("{}.{}", field.name, inner.name), ty);
        to.push((path.clone(), part.clone()));
        add_parts(&part, path, to);
        path.pop();
    }
}

/// What expressions read: columns as they are, and parts of columns by path.
#[derive(Default)]
struct Uses {
    whole: BTreeSet<usize>,
    parts: BTreeSet<Vec<usize>>,
}

impl Uses {
    fn of(&mut self, e: &Expr) {
        match (path_of(e), &e.kind) {
            (Some(path), _) => drop(self.parts.insert(path)),
            (None, ExprKind::Column(c)) => drop(self.whole.insert(*c)),
            _ => e.children().into_iter().for_each(|c| self.of(c)),
        }
    }

    /// The parts to read of columns that `may` be split and are not read whole; not those inside others that are read too.
    fn parts(self, may: impl Fn(usize) -> bool) -> BTreeSet<Vec<usize>> {
        let inside = |p: &Vec<usize>| (2..p.len()).any(|n| self.parts.contains(&p[..n]));
        let kept = self.parts.iter().filter(|p| may(p[0]) && !self.whole.contains(&p[0]) && !inside(p));
        kept.cloned().collect()
    }
}

/// `column.field.field` as numbers.
fn path_of(e: &Expr) -> Option<Vec<usize>> {
    let ExprKind::Field(of, n) = &e.kind else { return None };
    let mut path = match &of.kind {
        ExprKind::Column(c) => vec![*c],
        _ => path_of(of)?,
    };
    path.push(*n);
    Some(path)
}

/// Replaces parts by the columns that `part` gives them, and renumbers other columns.
fn rewrite(e: &mut Expr, part: &impl Fn(&Vec<usize>) -> Option<usize>, column: &impl Fn(usize) -> usize) {
    if let Some(n) = path_of(e).and_then(|path| part(&path)) {
        e.kind = ExprKind::Column(n);
        return;
    }
    if let ExprKind::Column(n) = &mut e.kind {
        *n = column(*n);
    }
    e.children_mut().into_iter().for_each(|c| rewrite(c, part, column));
}

/// Lets a projection and what stands between it and a scan read parts.
fn read_parts(input: &mut Rel, exprs: &mut [Expr]) {
    let mut uses = Uses::default();
    exprs.iter().for_each(|e| uses.of(e));
    let Some(scan) = chain(input, &mut uses) else { return };
    let base = scan.output.len();
    let may = |c: usize| {
        scan.output
            .get(c)
            .is_some_and(|&c| matches!(scan.columns[c].from, ColumnSource::Physical(_)) && scan.info.nested)
    };
    let parts: Vec<Vec<usize>> = uses.parts(may).into_iter().collect();
    if parts.is_empty() {
        return;
    }
    let number = |path: &Vec<usize>| {
        let declared: Vec<usize> =
            [scan.output[path[0]]].into_iter().chain(path[1..].iter().copied()).collect();
        scan.columns.iter().position(|c| matches!(&c.from, ColumnSource::Leaf(p) if *p == declared))
    };
    let Some(numbers) = parts.iter().map(number).collect::<Option<Vec<usize>>>() else { return };
    // The scan's columns keep their order: its numbers ascend.
    let mut both: Vec<(usize, Vec<usize>)> = numbers.into_iter().zip(parts).collect();
    both.sort();
    let (numbers, parts): (Vec<usize>, Vec<Vec<usize>>) = both.into_iter().unzip();
    let change = |e: &mut Expr| {
        let part = |path: &Vec<usize>| parts.iter().position(|p| p == path).map(|i| base + i);
        rewrite(e, &part, &|c| if c < base { c } else { c + parts.len() });
    };
    extend(input, &numbers, &change);
    exprs.iter_mut().for_each(change);
}

/// The scan under `rel` where only operations that keep its columns stand between; adds what those read.
fn chain<'r>(rel: &'r Rel, uses: &mut Uses) -> Option<&'r TableScan> {
    match &rel.kind {
        RelKind::Scan(scan) => Some(scan),
        RelKind::Filter { input, condition } => {
            uses.of(condition);
            chain(input, uses)
        }
        RelKind::Sort { input, keys } => {
            uses.whole.extend(keys.iter().map(|k| k.column));
            chain(input, uses)
        }
        RelKind::Limit { input, .. } => chain(input, uses),
        RelKind::WindowTvf { input, time, partition, .. } => {
            uses.whole.insert(*time);
            uses.whole.extend(partition);
            chain(input, uses)
        }
        _ => None,
    }
}

/// Adds columns `numbers` of the table to the scan under `rel`, and changes the expressions on the way.
fn extend(rel: &mut Rel, numbers: &[usize], change: &impl Fn(&mut Expr)) {
    match &mut rel.kind {
        RelKind::Scan(scan) => {
            scan.output.extend(numbers);
            rel.schema = scan.schema();
        }
        RelKind::WindowTvf { input, .. } => {
            let own = rel.schema.fields.split_off(input.schema.len());
            extend(input, numbers, change);
            rel.schema = input.schema.clone();
            rel.schema.fields.extend(own);
        }
        RelKind::Filter { input, condition } => {
            extend(input, numbers, change);
            change(condition);
            rel.schema = input.schema.clone();
        }
        RelKind::Sort { input, keys } => {
            extend(input, numbers, change);
            // Keys behind the scan's columns are those that a window function adds.
            for key in keys {
                let mut e = Expr::column(key.column, rel.schema.ty(key.column).clone(), rel.span);
                change(&mut e);
                if let ExprKind::Column(c) = e.kind {
                    key.column = c;
                }
            }
            rel.schema = input.schema.clone();
        }
        RelKind::Limit { input, .. } => {
            extend(input, numbers, change);
            rel.schema = input.schema.clone();
        }
        _ => unreachable!("the way to the scan has been looked at"),
    }
}
