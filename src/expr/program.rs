//! The executable form of an expression: a tree of kernels with their output columns, evaluated column at a time.
//!
//! **Guards.** AND, OR, CASE and COALESCE evaluate their later parts only for the rows that need them, so that `x <> 0 AND 1 / x > 2`
//! does not fail. Where the later part cannot fail, AND and OR skip that and combine 64 rows at a time.
//!
//! **The first failing row.** A kernel reports its first failing row, but an expression evaluated earlier in the tree may have
//! got further than one evaluated later. [`Program::eval_all`] therefore evaluates again for the rows before the failing one
//! until nothing fails: the error that remains is that of the smallest row. The path is cold.

mod row;

use super::kernel::{Arg, EvalContext, Kernel, RowError};
use super::{Expr, ExprKind};
use crate::batch::{Batch, Bitmap, Column, ColumnData, ColumnRef, DataType, Physical, Pool, Sel};
use crate::error::Span;
use row::Over;

/// The result of an expression over a batch: nothing of it is owned. Counting references up and down, or taking columns from the
/// pool and giving them back, costs more than most expressions over one row.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A column of the input.
    Input(&'a ColumnRef),
    /// One row that stands for all.
    Constant(&'a ColumnRef),
    /// Computed values at their physical rows, in the register of the program that computed them: there until it runs again.
    Computed(&'a Column),
}

impl<'a> Value<'a> {
    /// As a kernel's argument.
    #[inline]
    pub fn arg(&self) -> Arg<'a> {
        Arg { column: self.column(), constant: self.is_constant() }
    }

    /// The values, or the one row.
    #[inline]
    pub fn column(&self) -> &'a Column {
        match self {
            Value::Input(c) | Value::Constant(c) => c,
            Value::Computed(c) => c,
        }
    }

    /// One row stands for all.
    #[inline]
    pub fn is_constant(&self) -> bool {
        matches!(self, Value::Constant(_))
    }
}

/// An expression ready to run in one place of one shard.
pub struct Program {
    node: Node,
    ty: DataType,
    /// The result's values have one width.
    fixed: bool,
    /// It only ever gives columns of the input.
    picks: bool,
    /// The same over one row, for expressions that are simple enough.
    row: Option<Over>,
}

/// The rows of a batch that is small enough to copy.
const FEW: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

/// The tag stands by itself: to work it out of a span or a capacity takes as long as to compute a row.
#[repr(u8)]
enum Node {
    Column(usize),
    Constant(ColumnRef),
    Call {
        kernel: Box<dyn Kernel>,
        args: Vec<Node>,
        out: Register,
        /// Where it stands in the script.
        span: Span,
    },
    Logic {
        and: bool,
        args: Vec<Node>,
        out: Register,
    },
    Case {
        branches: Vec<(Node, Node)>,
        otherwise: Box<Node>,
        out: Register,
    },
    Coalesce {
        args: Vec<Node>,
        out: Register,
    },
    Field {
        of: Box<Node>,
        field: usize,
        out: Register,
    },
}

/// What an expression is evaluated over: `rows` rows of `columns`, those of `sel`.
struct Rows<'v, 's> {
    columns: &'v [ColumnRef],
    rows: usize,
    sel: Sel<'s>,
}

impl<'v> Rows<'v, '_> {
    /// The same columns under another selection.
    fn only<'s>(&self, rows: &'s [u32]) -> Rows<'v, 's> {
        Rows { sel: Sel::Rows(rows), ..*self }
    }
}

/// The values of a type have one width.
fn is_fixed(ty: &DataType) -> bool {
    use Physical::{Bytes, List, Map, Null, Row};
    !matches!(ty.physical(), Bytes | List | Map | Row | Null)
}

/// Makes a column `rows` rows to write to. `fixed`: of a type of one width, where as many rows as before are there already.
#[inline(always)]
fn prepare(column: &mut Column, rows: usize, fixed: bool) {
    if !(fixed && column.len() == rows && !column.validity.may_have_nulls()) {
        column.reset(rows);
    }
}

/// Where a node writes its result. It stays with the node, so that its memory is warm and nothing is taken from the pool.
struct Register {
    column: ColumnRef,
    ty: DataType,
    /// Its values have one width: as many of them as before need no preparation.
    fixed: bool,
}

impl Register {
    fn new(ty: &DataType) -> Self {
        Self { column: ColumnRef::new(Column::new(ty)), ty: ty.clone(), fixed: is_fixed(ty) }
    }

    /// To write `rows` rows to.
    #[inline(always)]
    fn reset(&mut self, rows: usize, pool: &mut Pool) -> &mut Column {
        let column = pool.own(&mut self.column, &self.ty);
        prepare(column, rows, self.fixed);
        column
    }
}

impl Program {
    /// Compiles an expression.
    pub fn new(expr: &Expr) -> Self {
        let node = Node::compile(expr);
        let row = Over::of(&node, expr);
        let picks = node.picks();
        Self { node, ty: expr.ty.clone(), fixed: is_fixed(&expr.ty), picks, row }
    }

    /// The type of the result.
    pub fn ty(&self) -> &DataType {
        &self.ty
    }

    /// Some row may fail.
    pub fn can_fail(&self) -> bool {
        self.node.can_fail()
    }

    /// The column that the program only passes on, if that is all it does.
    pub fn as_column(&self) -> Option<usize> {
        match self.node {
            Node::Column(n) => Some(n),
            _ => None,
        }
    }

    /// Evaluates for the rows of `sel` of `columns` (each of `rows` rows).
    ///
    /// # Errors
    /// A selected row fails. Rows before it may fail in parts not yet evaluated: see [`Program::eval_all`].
    #[inline]
    pub fn eval<'v>(
        &'v mut self,
        columns: &'v [ColumnRef],
        rows: usize,
        sel: Sel<'_>,
        cx: &mut EvalContext<'_>,
    ) -> Result<Value<'v>, RowError> {
        self.node.eval_inline(&Rows { columns, rows, sel }, cx)
    }

    /// As [`Program::eval`], into `target`, a column of the program's type, whose former content is lost: written there, exchanged
    /// for a register, shared where it is a column of the input, or a constant spread over all rows.
    ///
    /// # Errors
    /// As [`Program::eval`].
    #[inline(always)]
    pub fn eval_into(
        &mut self,
        target: &mut ColumnRef,
        columns: &[ColumnRef],
        rows: usize,
        sel: Sel<'_>,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        if self.row.is_some()
            && let Some(row) = sel.only()
        {
            self.row_into(target, columns, rows, row, cx.pool);
            return Ok(());
        }
        // The usual case writes where the result is wanted.
        if let Node::Call { kernel, args, span, .. } = &mut self.node {
            let out = cx.pool.own(target, &self.ty);
            prepare(out, rows, self.fixed);
            let at = &Rows { columns, rows, sel };
            return eval_call(&mut **kernel, args, out, at, cx).map_err(|e| e.at(*span));
        }
        self.eval_other_into(target, columns, rows, sel, cx)
    }

    /// As [`Program::eval_into`], of what is not a call.
    fn eval_other_into(
        &mut self,
        target: &mut ColumnRef,
        columns: &[ColumnRef],
        rows: usize,
        sel: Sel<'_>,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        match self.node.eval(&Rows { columns, rows, sel }, cx)? {
            // A shared column cannot be written again when its batch comes home: of a few values a copy is cheaper.
            Value::Input(c) if rows <= FEW.len() && c.is_flat() => {
                let to = cx.pool.own(target, &self.ty);
                to.clear();
                to.extend_rows(c, &FEW[..rows]);
            }
            Value::Input(c) => {
                // The row alone, where there is one and a later row may be computed: a shared column is none to write to.
                let row = sel.only().filter(|_| !self.picks);
                if !row.is_some_and(|row| cx.pool.own(target, &self.ty).set_one(rows, row, c, row)) {
                    *target = c.clone();
                }
            }
            Value::Constant(c) => {
                let to = cx.pool.own(target, &self.ty);
                // Of a block that is handed out row by row, the row alone.
                if !sel.only().is_some_and(|row| to.set_one(rows, row, c, 0)) {
                    to.clear();
                    to.extend_same(c, rows);
                }
            }
            Value::Computed(c) => {
                let at: *const Column = c;
                let register = self.node.register(at).expect("what is computed is in a register");
                std::mem::swap(&mut register.column, target);
            }
        }
        Ok(())
    }

    /// As [`Program::eval_into`], into a new column. For single evaluations.
    ///
    /// # Errors
    /// As [`Program::eval`].
    pub fn eval_column(
        &mut self,
        columns: &[ColumnRef],
        rows: usize,
        sel: Sel<'_>,
        cx: &mut EvalContext<'_>,
    ) -> Result<ColumnRef, RowError> {
        let mut target = cx.pool.column(&self.ty);
        self.eval_into(&mut target, columns, rows, sel, cx)?;
        Ok(target)
    }

    /// Evaluates several programs over one batch, in order: program `k` into `out[k]`.
    ///
    /// # Errors
    /// Some row fails: the error of the *smallest* failing row, with `out` holding the results for the rows before it.
    pub fn eval_all(
        programs: &mut [Program],
        batch: &Batch,
        out: &mut [ColumnRef],
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        let mut sel = batch.sel();
        let mut failed: Option<RowError> = None;
        'again: loop {
            for (p, out) in programs.iter_mut().zip(&mut *out) {
                if let Err(e) = p.eval_into(out, &batch.columns, batch.rows(), sel, cx) {
                    sel = sel.below(e.row);
                    failed = Some(e);
                    continue 'again;
                }
            }
            return failed.map_or(Ok(()), Err);
        }
    }

    /// Evaluates a condition and writes the rows where it is true to `keep`.
    ///
    /// # Errors
    /// As [`Program::eval_all`]: `keep` holds the rows before the failing one.
    pub fn filter(
        &mut self,
        batch: &Batch,
        keep: &mut Vec<u32>,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        keep.clear();
        let mut sel = batch.sel();
        let mut failed: Option<RowError> = None;
        while let Err(e) = self.filter_once(batch, sel, keep, cx) {
            sel = sel.below(e.row);
            failed = Some(e);
        }
        failed.map_or(Ok(()), Err)
    }

    fn filter_once(
        &mut self,
        batch: &Batch,
        sel: Sel<'_>,
        keep: &mut Vec<u32>,
        cx: &mut EvalContext<'_>,
    ) -> Result<(), RowError> {
        let value = self.node.eval(&Rows { columns: &batch.columns, rows: batch.rows(), sel }, cx)?;
        if value.is_constant() {
            if value.arg().is_true(0) {
                keep.extend(sel.iter().map(|i| i as u32));
            }
        } else {
            select_true(value.column(), sel, keep);
        }
        Ok(())
    }
}

fn is_true(c: &Column, i: usize) -> bool {
    c.is_valid(i) && c.bools().get(i)
}

/// Appends the selected rows at which a BOOLEAN column is true.
fn select_true(c: &Column, sel: Sel<'_>, keep: &mut Vec<u32>) {
    let bits = c.bools().words();
    match sel {
        Sel::All(_) => {
            keep.reserve(c.len());
            for (w, &word) in bits.iter().enumerate() {
                let mut m = match c.validity.bits() {
                    Some(v) => word & v.words()[w],
                    None => word,
                };
                while m != 0 {
                    keep.push((w * 64) as u32 + m.trailing_zeros());
                    m &= m - 1;
                }
            }
        }
        Sel::Rows(rows) => keep.extend(rows.iter().filter(|&&r| is_true(c, r as usize))),
    }
}

impl Node {
    fn compile(expr: &Expr) -> Node {
        let all = |e: &[Expr]| e.iter().map(Node::compile).collect::<Vec<_>>();
        match &expr.kind {
            ExprKind::Column(n) => Node::Column(*n),
            ExprKind::Literal(c) => Node::Constant(c.clone()),
            ExprKind::Call { function, args } => {
                let out = Register::new(&expr.ty);
                Node::Call { kernel: (function.kernel)(), args: all(args), out, span: expr.span }
            }
            ExprKind::And(args) => Node::Logic { and: true, args: all(args), out: Register::new(&expr.ty) },
            ExprKind::Or(args) => Node::Logic { and: false, args: all(args), out: Register::new(&expr.ty) },
            ExprKind::Case { branches, otherwise } => Node::Case {
                branches: branches.iter().map(|(c, v)| (Node::compile(c), Node::compile(v))).collect(),
                otherwise: Box::new(Node::compile(otherwise)),
                out: Register::new(&expr.ty),
            },
            ExprKind::Coalesce(args) => Node::Coalesce { args: all(args), out: Register::new(&expr.ty) },
            ExprKind::Field(of, field) => {
                Node::Field { of: Box::new(Node::compile(of)), field: *field, out: Register::new(&expr.ty) }
            }
        }
    }

    /// Whatever it gives is a column of the input.
    fn picks(&self) -> bool {
        match self {
            Node::Column(_) => true,
            Node::Case { branches, otherwise, .. } => {
                otherwise.picks() && branches.iter().all(|(_, value)| value.picks())
            }
            Node::Coalesce { args, .. } => args.iter().all(Node::picks),
            Node::Constant(_) | Node::Call { .. } | Node::Logic { .. } | Node::Field { .. } => false,
        }
    }

    fn can_fail(&self) -> bool {
        match self {
            Node::Column(_) | Node::Constant(_) => false,
            Node::Call { kernel, args, .. } => kernel.can_fail() || args.iter().any(Node::can_fail),
            Node::Logic { args, .. } | Node::Coalesce { args, .. } => args.iter().any(Node::can_fail),
            Node::Case { branches, otherwise, .. } => {
                otherwise.can_fail() || branches.iter().any(|(c, v)| c.can_fail() || v.can_fail())
            }
            Node::Field { of, .. } => of.can_fail(),
        }
    }

    /// As an argument; leaves, which most are, in place.
    #[inline(always)]
    fn arg<'v>(&'v mut self, at: &Rows<'v, '_>, cx: &mut EvalContext<'_>) -> Result<Arg<'v>, RowError> {
        match self {
            Node::Column(n) => Ok(Arg { column: &at.columns[*n], constant: false }),
            Node::Constant(c) => Ok(Arg { column: c, constant: true }),
            _ => self.eval(at, cx).map(|v| v.arg()),
        }
    }

    fn eval<'v>(&'v mut self, at: &Rows<'v, '_>, cx: &mut EvalContext<'_>) -> Result<Value<'v>, RowError> {
        self.eval_inline(at, cx)
    }

    #[inline(always)]
    fn eval_inline<'v>(
        &'v mut self,
        at: &Rows<'v, '_>,
        cx: &mut EvalContext<'_>,
    ) -> Result<Value<'v>, RowError> {
        match self {
            Node::Column(n) => Ok(Value::Input(&at.columns[*n])),
            Node::Constant(c) => Ok(Value::Constant(c)),
            Node::Call { kernel, args, out, span } => {
                let target = out.reset(at.rows, cx.pool);
                eval_call(&mut **kernel, args, target, at, cx).map_err(|e| e.at(*span))?;
                debug_assert!(target.len() == at.rows, "a kernel writes every row");
                Ok(Value::Computed(target))
            }
            _ => self.eval_compound(at, cx),
        }
    }

    /// What chooses rows or takes values apart. Apart from [`Node::eval`], whose usual case is a call and needs little of the stack.
    #[inline(never)]
    fn eval_compound<'v>(
        &'v mut self,
        at: &Rows<'v, '_>,
        cx: &mut EvalContext<'_>,
    ) -> Result<Value<'v>, RowError> {
        match self {
            Node::Column(_) | Node::Constant(_) | Node::Call { .. } => self.eval(at, cx),
            Node::Logic { and, args, out } => {
                let target = out.reset(at.rows, cx.pool);
                eval_logic(*and, args, target, at, cx)?;
                Ok(Value::Computed(target))
            }
            Node::Case { branches, otherwise, out } => {
                if at.sel.len() == 1 {
                    return case_of_one(branches, otherwise, at, cx);
                }
                let mut picks = Picks::new(at.rows, at.sel, cx.pool);
                for (condition, value) in branches {
                    if picks.rest.is_empty() {
                        break;
                    }
                    let c = condition.eval(&at.only(&picks.rest), cx)?;
                    let mut hit = cx.pool.row_list();
                    picks.split(c.arg(), &mut hit);
                    if !hit.is_empty() {
                        let v = value.eval(&at.only(&hit), cx)?;
                        picks.take(&hit, v);
                    }
                    cx.pool.recycle_rows(hit);
                }
                if !picks.rest.is_empty() {
                    let rest = std::mem::take(&mut picks.rest);
                    let v = otherwise.eval(&at.only(&rest), cx)?;
                    picks.take(&rest, v);
                    cx.pool.recycle_rows(rest);
                }
                Ok(picks.finish(out, cx.pool))
            }
            Node::Coalesce { args, out } => {
                let mut picks = Picks::new(at.rows, at.sel, cx.pool);
                for a in args {
                    if picks.rest.is_empty() {
                        break;
                    }
                    let v = a.eval(&at.only(&picks.rest), cx)?;
                    let mut hit = cx.pool.row_list();
                    let arg = v.arg();
                    picks.rest.retain(|&r| {
                        let valid = arg.is_valid(r as usize);
                        if valid {
                            hit.push(r);
                        }
                        !valid
                    });
                    picks.take(&hit, v);
                    cx.pool.recycle_rows(hit);
                }
                Ok(picks.finish(out, cx.pool))
            }
            Node::Field { of, field, out } => {
                let v = of.eval(at, cx)?;
                let (whole, part) = field_of(v.column(), *field);
                match v {
                    Value::Input(_) if part.validity.implies(&whole.validity) => {
                        return Ok(Value::Input(part));
                    }
                    Value::Constant(_) if part.validity.implies(&whole.validity) => {
                        return Ok(Value::Constant(part));
                    }
                    Value::Constant(_) => {
                        // A NULL row's field.
                        let target = out.reset(0, cx.pool);
                        target.clear();
                        target.push_nulls(at.rows);
                        return Ok(Value::Computed(target));
                    }
                    _ => {}
                }
                let target = out.reset(0, cx.pool);
                target.clone_from(part);
                target.validity.and(&whole.validity);
                Ok(Value::Computed(target))
            }
        }
    }

    /// The register with the column at this address: its own, or one below whose result it handed on.
    fn register(&mut self, at: *const Column) -> Option<&mut Register> {
        fn among<'n>(
            mut nodes: impl Iterator<Item = &'n mut Node>,
            at: *const Column,
        ) -> Option<&'n mut Register> {
            nodes.find_map(|n| n.register(at))
        }
        match self {
            Node::Column(_) | Node::Constant(_) => None,
            Node::Call { out, .. }
            | Node::Logic { out, .. }
            | Node::Case { out, .. }
            | Node::Coalesce { out, .. }
            | Node::Field { out, .. }
                if std::ptr::eq(&*out.column, at) =>
            {
                Some(out)
            }
            Node::Case { branches, otherwise, .. } => {
                among(branches.iter_mut().map(|b| &mut b.1).chain([&mut **otherwise]), at)
            }
            Node::Coalesce { args, .. } => among(args.iter_mut(), at),
            Node::Call { .. } | Node::Logic { .. } | Node::Field { .. } => None,
        }
    }
}

/// CASE over a single row: the value of the branch that is taken.
fn case_of_one<'v>(
    branches: &'v mut [(Node, Node)],
    otherwise: &'v mut Node,
    at: &Rows<'v, '_>,
    cx: &mut EvalContext<'_>,
) -> Result<Value<'v>, RowError> {
    let row = at.sel.row(0);
    for (condition, value) in branches {
        let c = condition.eval(at, cx)?.arg();
        if is_true(c.column, c.at(row)) {
            return value.eval(at, cx);
        }
    }
    otherwise.eval(at, cx)
}

/// A ROW column and one of its fields.
fn field_of(row: &Column, field: usize) -> (&Column, &ColumnRef) {
    let ColumnData::Row(fields) = &row.data else { panic!("field access on a column that is not ROW") };
    (row, &fields[field])
}

/// Evaluates the arguments and runs the kernel; without allocation for the usual numbers of arguments.
#[inline(always)]
fn eval_call(
    kernel: &mut dyn Kernel,
    args: &mut [Node],
    out: &mut Column,
    at: &Rows<'_, '_>,
    cx: &mut EvalContext<'_>,
) -> Result<(), RowError> {
    match args {
        [a, b] => {
            let args = [a.arg(at, cx)?, b.arg(at, cx)?];
            kernel.eval(&args, at.sel, at.rows, out, cx)
        }
        [a] => {
            let args = [a.arg(at, cx)?];
            kernel.eval(&args, at.sel, at.rows, out, cx)
        }
        [a, b, c] => {
            let args = [a.arg(at, cx)?, b.arg(at, cx)?, c.arg(at, cx)?];
            kernel.eval(&args, at.sel, at.rows, out, cx)
        }
        [] => kernel.eval(&[], at.sel, at.rows, out, cx),
        [first, rest @ ..] if rest.len() < 8 => {
            let last = rest.len();
            let mut args = [first.arg(at, cx)?; 8];
            for (arg, node) in args[1..].iter_mut().zip(&mut *rest) {
                *arg = node.arg(at, cx)?;
            }
            kernel.eval(&args[..=last], at.sel, at.rows, out, cx)
        }
        more => {
            let args: Vec<Arg<'_>> = more.iter_mut().map(|a| a.arg(at, cx)).collect::<Result<_, _>>()?;
            kernel.eval(&args, at.sel, at.rows, out, cx)
        }
    }
}

/// Which of several values each row takes: CASE and COALESCE.
struct Picks<'v> {
    rows: usize,
    /// Rows that have no value yet.
    rest: Vec<u32>,
    /// Those that have one: of the first value, of the second, and so on.
    taken: Vec<u32>,
    values: Values<'v>,
}

/// The values and where their rows end among those taken. The first of them in place: a list on the heap would be an allocation a batch.
#[derive(Default)]
struct Values<'v> {
    first: [Option<(Value<'v>, usize)>; 8],
    more: Vec<(Value<'v>, usize)>,
    len: usize,
}

impl<'v> Values<'v> {
    fn push(&mut self, value: Value<'v>, end: usize) {
        match self.first.get_mut(self.len) {
            Some(free) => *free = Some((value, end)),
            None => self.more.push((value, end)),
        }
        self.len += 1;
    }
}

impl<'v> Picks<'v> {
    fn new(rows: usize, sel: Sel<'_>, pool: &mut Pool) -> Self {
        let mut rest = pool.row_list();
        sel.list(&mut rest);
        Self { rows, rest, taken: pool.row_list(), values: Values::default() }
    }

    /// Moves the rows at which a condition is true from the rest to `hit`, which is empty.
    fn split(&mut self, condition: Arg<'_>, hit: &mut Vec<u32>) {
        let rest = &mut self.rest;
        if condition.constant {
            if is_true(condition.column, 0) {
                std::mem::swap(rest, hit);
            }
            return;
        }
        let (bits, valid) = (condition.column.bools(), condition.column.validity.bits());
        hit.resize(rest.len(), 0);
        // Both lists are written at each row, and grow by what it is: no row is guessed.
        let (mut kept, mut hits) = (0, 0);
        for k in 0..rest.len() {
            let row = rest[k];
            let is = bits.get(row as usize) && valid.is_none_or(|v| v.get(row as usize));
            (hit[hits], rest[kept]) = (row, row);
            hits += usize::from(is);
            kept += usize::from(!is);
        }
        hit.truncate(hits);
        rest.truncate(kept);
    }

    /// The rows `hit`, which are of the rest no more, take a value.
    fn take(&mut self, hit: &[u32], value: Value<'v>) {
        self.taken.extend_from_slice(hit);
        self.values.push(value, self.taken.len());
    }

    /// Each value with its rows.
    fn each(&self) -> impl Iterator<Item = (Arg<'v>, &[u32])> {
        let mut start = 0;
        self.values.first.iter().flatten().chain(&self.values.more).map(move |(value, end)| {
            let rows = &self.taken[start..*end];
            start = *end;
            (value.arg(), rows)
        })
    }

    fn finish(self, out: &'v mut Register, pool: &mut Pool) -> Value<'v> {
        // One value for every row: hand it on.
        let only = self.values.len == 1 && self.rest.is_empty();
        let value = match self.values.first[0] {
            Some((v, _)) if only && !v.is_constant() => v,
            _ => {
                let target = pool.own(&mut out.column, &out.ty);
                self.write(target);
                Value::Computed(target)
            }
        };
        pool.recycle_rows(self.rest);
        pool.recycle_rows(self.taken);
        value
    }

    /// Writes each row's value to `out`, NULL where it has none.
    fn write(&self, out: &mut Column) {
        macro_rules! fixed {
            ($t:ty) => {{
                out.reset(self.rows);
                let to = &mut out.buffer_mut::<$t>()[..];
                for (arg, rows) in self.each() {
                    let from = arg.column.slice::<$t>();
                    if arg.constant {
                        rows.iter().for_each(|&r| to[r as usize] = from[0]);
                    } else {
                        rows.iter().for_each(|&r| to[r as usize] = from[r as usize]);
                    }
                }
            }};
        }
        match &mut out.data {
            ColumnData::Bool(_) => {
                out.reset(self.rows);
                let to = out.bools_mut();
                for (arg, rows) in self.each() {
                    let from = arg.column.bools();
                    rows.iter().for_each(|&r| to.set(r as usize, from.get(arg.at(r as usize))));
                }
            }
            ColumnData::I8(_) => fixed!(i8),
            ColumnData::I16(_) => fixed!(i16),
            ColumnData::I32(_) => fixed!(i32),
            ColumnData::I64(_) => fixed!(i64),
            ColumnData::F32(_) => fixed!(f32),
            ColumnData::F64(_) => fixed!(f64),
            ColumnData::I128(_) => fixed!(i128),
            ColumnData::Bytes(_) => {
                out.reset(self.rows);
                let to = out.byte_column_mut();
                for (arg, rows) in self.each() {
                    let from = arg.column.byte_column();
                    let map = to.share_buffers(from);
                    rows.iter().for_each(|&r| {
                        to.set_shared(r as usize, from.views()[arg.at(r as usize)], &map);
                    });
                }
            }
            ColumnData::Null
            | ColumnData::Nanos { .. }
            | ColumnData::List { .. }
            | ColumnData::Map { .. }
            | ColumnData::Row(_) => {
                // Rare: row by row, in order.
                let mut which = vec![None; self.rows];
                for (arg, rows) in self.each() {
                    rows.iter().for_each(|&r| which[r as usize] = Some(arg));
                }
                out.clear();
                for (r, arg) in which.into_iter().enumerate() {
                    match arg {
                        None => out.push_null(),
                        Some(arg) => out.extend_rows(arg.column, &[arg.at(r) as u32]),
                    }
                }
                return;
            }
        }
        self.rest.iter().for_each(|&r| out.validity.set(r as usize, false));
        for (arg, rows) in self.each().filter(|(arg, _)| arg.column.validity.may_have_nulls()) {
            rows.iter().for_each(|&r| out.validity.set(r as usize, arg.is_valid(r as usize)));
        }
    }
}

fn eval_logic(
    and: bool,
    args: &mut [Node],
    target: &mut Column,
    at: &Rows<'_, '_>,
    cx: &mut EvalContext<'_>,
) -> Result<(), RowError> {
    // `and` starts as TRUE, `or` as FALSE: the value that changes nothing.
    target.bools_mut().words_mut().fill(if and { !0 } else { 0 });
    target.bools_mut().mask_tail();
    let mut open = cx.pool.row_list();
    let mut guarded = false;
    for (n, a) in args.iter_mut().enumerate() {
        if n > 0 && a.can_fail() {
            // Only the rows that are still undecided: AND not yet FALSE, OR not yet TRUE.
            let decided = |r: usize| target.validity.get(r) && target.bools().get(r) != and;
            if guarded {
                open.retain(|&r| !decided(r as usize));
            } else {
                open.extend(at.sel.iter().filter(|&r| !decided(r)).map(|r| r as u32));
                guarded = true;
            }
            if open.is_empty() {
                break;
            }
            let v = a.eval(&at.only(&open), cx)?;
            let arg = v.arg();
            for &r in &open {
                let r = r as usize;
                let (av, bv) = (target.validity.get(r), arg.is_valid(r));
                let (ab, bb) = (target.bools().get(r), v.column().bools().get(arg.at(r)));
                let (value, valid) = logic(and, (ab, av), (bb, bv));
                target.bools_mut().set(r, value);
                target.validity.set(r, valid);
            }
        } else {
            let v = a.eval(at, cx)?;
            if v.is_constant() {
                let (bb, bv) = (v.column().bools().get(0), v.column().is_valid(0));
                let (mut b, mut bvalid) = (Bitmap::filled(at.rows, bb), None);
                if !bv {
                    bvalid = Some(Bitmap::filled(at.rows, false));
                    b = Bitmap::filled(at.rows, false);
                }
                combine(and, target, &b, bvalid.as_ref());
            } else {
                combine(and, target, v.column().bools(), v.column().validity.bits());
            }
        }
    }
    cx.pool.recycle_rows(open);
    Ok(())
}

/// Kleene logic of one row: (value, not NULL).
fn logic(and: bool, (ab, av): (bool, bool), (bb, bv): (bool, bool)) -> (bool, bool) {
    let decides = |b: bool, v: bool| v && b != and;
    if decides(ab, av) || decides(bb, bv) { (!and, true) } else { (and, av && bv) }
}

/// Kleene logic 64 rows at a time.
fn combine(and: bool, target: &mut Column, b: &Bitmap, b_valid: Option<&Bitmap>) {
    if !target.validity.may_have_nulls() && b_valid.is_none() {
        for (t, &w) in target.bools_mut().words_mut().iter_mut().zip(b.words()) {
            *t = if and { *t & w } else { *t | w };
        }
        return;
    }
    let Column { validity, data: ColumnData::Bool(values) } = target else { panic!("logic over BOOLEAN") };
    let valid = validity.bits_mut();
    for (n, (t, v)) in values.words_mut().iter_mut().zip(valid.words_mut()).enumerate() {
        let (bw, bv) = (b.words()[n], b_valid.map_or(!0, |x| x.words()[n]));
        if and {
            let is_false = (!*t & *v) | (!bw & bv);
            let is_true = *t & *v & bw & bv;
            (*t, *v) = (is_true, is_true | is_false);
        } else {
            let is_true = (*t & *v) | (bw & bv);
            let is_false = !*t & *v & !bw & bv;
            (*t, *v) = (is_true, is_true | is_false);
        }
    }
    values.mask_tail();
    valid.mask_tail();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::{TypeKind, Watermarks};
    use crate::error::Span;
    use crate::expr::{BoundFunction, Determinism, Fallible, constant_column};
    use std::sync::Arc;

    fn boolean(values: &[Option<bool>]) -> ColumnRef {
        let mut c = Column::of_kind(&TypeKind::Boolean);
        for v in values {
            c.validity.push(v.is_some());
            c.bools_mut().push(v.unwrap_or(false));
        }
        ColumnRef::new(c)
    }

    fn column(n: usize) -> Expr {
        Expr::column(n, TypeKind::Boolean.nullable(), Span::default())
    }

    /// Fails at every row where its argument is not true: shows which rows are evaluated.
    fn picky(arg: Expr) -> Expr {
        let bound = BoundFunction {
            args: vec![arg.ty.clone()],
            ty: TypeKind::Boolean.nullable(),
            determinism: Determinism::Deterministic,
            kernel: Arc::new(|| {
                Box::new(Fallible(|args: &[Arg<'_>], sel: Sel<'_>, _rows, out: &mut Column| {
                    sel.try_for_each(|r| {
                        if !is_true(args[0].column, r) {
                            return Err(RowError::runtime(r, "picky"));
                        }
                        out.bools_mut().set(r, true);
                        Ok(())
                    })
                }))
            }),
        };
        Expr::call("PICKY", bound, vec![arg], Span::default())
    }

    fn run(expr: &Expr, columns: Vec<ColumnRef>) -> Result<Vec<Option<bool>>, usize> {
        let (mut pool, wm) = (Pool::default(), Watermarks::default());
        let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &wm };
        let rows = columns[0].len();
        let batch = Batch::new(columns, rows);
        let mut out = [boolean(&[])];
        Program::eval_all(&mut [Program::new(expr)], &batch, &mut out, &mut cx).map_err(|e| e.row)?;
        Ok((0..rows).map(|i| out[0].is_valid(i).then(|| out[0].bools().get(i))).collect())
    }

    const T: Option<bool> = Some(true);
    const F: Option<bool> = Some(false);
    const N: Option<bool> = None;

    fn logic_expr(and: bool, args: Vec<Expr>) -> Expr {
        let kind = if and { ExprKind::And(args) } else { ExprKind::Or(args) };
        Expr { kind, ty: TypeKind::Boolean.nullable(), span: Span::default() }
    }

    #[test]
    fn and_and_or_are_three_valued() {
        let a = boolean(&[T, T, T, F, F, F, N, N, N]);
        let b = boolean(&[T, F, N, T, F, N, T, F, N]);
        let and = run(&logic_expr(true, vec![column(0), column(1)]), vec![a.clone(), b.clone()]);
        assert_eq!(and.unwrap(), [T, F, N, F, F, F, N, F, N]);
        let or = run(&logic_expr(false, vec![column(0), column(1)]), vec![a, b]);
        assert_eq!(or.unwrap(), [T, T, T, T, F, N, T, N, N]);
    }

    #[test]
    fn guards_keep_the_later_part_from_the_rows_that_are_decided() {
        let a = boolean(&[F, T, F, T]);
        let ok = boolean(&[F, T, F, T]);
        let and = run(&logic_expr(true, vec![column(0), picky(column(1))]), vec![a.clone(), ok]);
        assert_eq!(and.unwrap(), [F, T, F, T]);
        let bad = boolean(&[F, T, F, F]);
        let and = run(&logic_expr(true, vec![column(0), picky(column(1))]), vec![a, bad]);
        assert_eq!(and, Err(3));
    }

    #[test]
    fn the_smallest_failing_row_is_reported_whatever_the_order_of_evaluation() {
        let a = boolean(&[T, T, T, F]);
        let b = boolean(&[T, F, T, T]);
        let both = logic_expr(true, vec![picky(column(0)), picky(column(1))]);
        assert_eq!(run(&both, vec![a, b]), Err(1));
    }

    #[test]
    fn case_takes_the_first_true_branch_and_null_without_one() {
        let a = boolean(&[T, F, N, F]);
        let b = boolean(&[T, T, F, F]);
        let lit = |v: bool| {
            let ty = TypeKind::Boolean.nullable();
            let c = constant_column(&ty, |c| {
                c.validity.push(true);
                c.bools_mut().push(v);
            });
            Expr::literal(c, ty, Span::default())
        };
        let null = Expr::literal(boolean(&[N]), TypeKind::Boolean.nullable(), Span::default());
        let case = Expr {
            kind: ExprKind::Case {
                branches: vec![(column(0), lit(true)), (column(1), picky(column(1)))],
                otherwise: Box::new(null),
            },
            ty: TypeKind::Boolean.nullable(),
            span: Span::default(),
        };
        assert_eq!(run(&case, vec![a.clone(), b.clone()]).unwrap(), [T, T, N, N]);
        let coalesce = Expr {
            kind: ExprKind::Coalesce(vec![column(0), column(1), lit(true)]),
            ty: TypeKind::Boolean.nullable(),
            span: Span::default(),
        };
        assert_eq!(run(&coalesce, vec![a, b]).unwrap(), [T, F, F, F]);
    }

    /// A shared column cannot be written to: one that CASE had only handed on would have to be replaced at the next row that is computed.
    #[test]
    fn case_of_columns_and_constants_writes_rows_alone_to_one_column() {
        let ty = TypeKind::BigInt.nullable();
        let numbers = |from: i64| {
            let mut c = Column::of_kind(&TypeKind::BigInt);
            (from..from + 16).for_each(|v| {
                c.validity.push(true);
                c.buffer_mut::<i64>().push(v);
            });
            ColumnRef::new(c)
        };
        let columns =
            [boolean(&(0..16).map(|n| Some(n % 3 == 0)).collect::<Vec<_>>()), numbers(100), numbers(200)];
        let case = |otherwise: Expr| {
            let branches = vec![(column(0), Expr::column(1, ty.clone(), Span::default()))];
            let kind = ExprKind::Case { branches, otherwise: Box::new(otherwise) };
            Program::new(&Expr { kind, ty: ty.clone(), span: Span::default() })
        };
        let constant = constant_column(&ty, |c| {
            c.validity.push(true);
            c.buffer_mut::<i64>().push(7);
        });
        let mut mixed = case(Expr::literal(constant, ty.clone(), Span::default()));
        let mut handed_on = case(Expr::column(2, ty.clone(), Span::default()));
        let (mut pool, wm) = (Pool::default(), Watermarks::default());
        let mut cx = EvalContext { pool: &mut pool, now_us: 0, watermark: 0, watermarks: &wm };
        let (mut own, mut shared) = (ColumnRef::new(Column::new(&ty)), ColumnRef::new(Column::new(&ty)));
        let first: *const Column = &*own;
        for row in 0..16_u32 {
            let (at, sel) = (row as usize, Sel::Rows(std::slice::from_ref(&row)));
            mixed.eval_into(&mut own, &columns, 16, sel, &mut cx).unwrap();
            assert_eq!(own.slice::<i64>()[at], if row % 3 == 0 { 100 + i64::from(row) } else { 7 });
            assert!(std::ptr::eq(&*own, first), "row {row}");
            handed_on.eval_into(&mut shared, &columns, 16, sel, &mut cx).unwrap();
            assert!(ColumnRef::ptr_eq(&shared, &columns[if row % 3 == 0 { 1 } else { 2 }]));
        }
    }
}
