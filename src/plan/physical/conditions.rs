//! Conditions of FILTER: computed as columns, or asked by the aggregation itself.

use super::{Builder, Built, passed_at};
use crate::error::Result;
use crate::expr::{Expr, Program};
use crate::plan::logical::{AggregateCall, Rel, RelKind};

/// What [`Builder::asked`] gives. The conditions are columns behind those of the node.
pub(super) struct Asked {
    pub(super) built: Built,
    pub(super) conditions: Vec<Expr>,
}

impl Builder {
    /// The input of an aggregation, but for the conditions of FILTER that nothing else reads and that are plain over a row: to compute them as
    /// columns would cost more than to ask them.
    pub(super) fn asked(&mut self, input: &Rel, keys: &[usize], calls: &[AggregateCall]) -> Result<Asked> {
        let none = |built| Asked { built, conditions: vec![] };
        let RelKind::Project { input: below, exprs } = &input.kind else {
            return self.anyhow(input).map(none);
        };
        let is_asked = |&f: &usize| {
            let is_read = keys.contains(&f) || calls.iter().any(|c| c.args.contains(&f));
            !is_read && exprs[f].is_deterministic() && Program::new(&exprs[f]).has_rows()
        };
        let mut asked: Vec<usize> = calls.iter().filter_map(|c| c.filter).filter(is_asked).collect();
        asked.sort_unstable();
        asked.dedup();
        if asked.is_empty() {
            return self.anyhow(input).map(none);
        }
        let (mut kept, mut fields, mut places) = (vec![], vec![], vec![0; exprs.len()]);
        for n in (0..exprs.len()).filter(|n| asked.binary_search(n).is_err()) {
            places[n] = kept.len();
            kept.push(exprs[n].clone());
            fields.push(input.schema.fields[n].clone());
        }
        // What they read is passed on.
        let mut conditions: Vec<Expr> = asked.iter().map(|&n| exprs[n].clone()).collect();
        let mut reads = vec![];
        conditions.iter().for_each(|e| e.for_each_column(&mut |c| reads.push(c)));
        for c in reads {
            if passed_at(&kept, c).is_none() {
                let field = below.schema.fields[c].clone();
                kept.push(Expr::column(c, field.ty.clone(), input.span));
                fields.push(field);
            }
        }
        let built = self.project(below, &kept, &fields, input.span, true)?;
        let place = |c: usize| built.columns[passed_at(&kept, c).expect("passed on just now")];
        conditions.iter_mut().for_each(|e| e.map_columns(&place));
        let width = self.node(built.node).schema.len();
        let column = |n: usize| match asked.binary_search(&n) {
            Ok(nth) => width + nth,
            Err(_) => built.columns[places[n]],
        };
        let columns = (0..exprs.len()).map(column).collect();
        Ok(Asked { built: Built { node: built.node, columns }, conditions })
    }
}
