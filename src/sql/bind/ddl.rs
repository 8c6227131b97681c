//! Definitions: what CREATE TABLE, CREATE VIEW and ALTER TABLE make of a catalog's entries. The planner puts the results in place.

use super::query::rename;
use super::{Binder, types};
use crate::batch::{TimeAttribute, TypeKind};
use crate::error::{Error, Result, Span};
use crate::plan::catalog::{
    ColumnKind, Object, ObjectPath, SqlText, Table, TableColumn, View, WatermarkSpec,
};
use crate::plan::connector::{ConnectorSpec, OptionValue};
use crate::plan::logical::Rel;
use crate::sql::ast::{
    self, AlterTableAction, ConstraintKind, CreateTable, CreateTableMode, CreateTableSource, CreateView,
    LikeFeature, MergeStrategy, TableElements, TableLike, TableOption, TableSchema,
};

impl Binder<'_> {
    fn sql_text(&self, span: Span) -> SqlText {
        SqlText { text: self.script.clone(), span }
    }

    /// CREATE TABLE.
    pub(crate) fn create_table(&mut self, c: &CreateTable, path: &ObjectPath) -> Result<Table> {
        match c.mode {
            CreateTableMode::Create => {}
            CreateTableMode::CreateOrReplace => {
                return Err(Error::unsupported("CREATE OR REPLACE TABLE", c.span));
            }
            CreateTableMode::Replace => return Err(Error::unsupported("REPLACE TABLE", c.span)),
        }
        if let Some(d) = &c.distribution {
            return Err(Error::unsupported("DISTRIBUTED BY", d.span));
        }
        let mut table = Table {
            columns: vec![],
            watermark: None,
            primary_key: vec![],
            partition_keys: vec![],
            connector: ConnectorSpec { span: options_span(&c.options, c.span), ..Default::default() },
            comment: c.comment.clone(),
            definition: self.sql_text(c.span),
        };
        let mut merge = Merge::default();
        let mut asked = None;
        match &c.source {
            Some(CreateTableSource::Query(q)) => asked = Some(self.query(q)?),
            Some(CreateTableSource::Like(like)) => {
                merge = Merge::new(&like.options)?;
                self.like_table(&mut table, like, &merge)?;
            }
            None => {}
        }
        let mut named = None;
        match &c.elements {
            TableElements::None => {}
            TableElements::Names(names) if asked.is_some() => named = Some(names),
            TableElements::Names(names) => {
                let span = names.first().map_or(c.span, |n| n.span());
                return Err(Error::validation("columns need a type", span));
            }
            TableElements::Schema(schema) => self.schema(&mut table, schema, &merge)?,
        }
        if let Some(rel) = &asked {
            let order = named.map_or(Ok(vec![]), |names| order_of(names, rel))?;
            query_columns(&mut table, rel, &order)?;
        }
        if !c.partitioned_by.is_empty() {
            if merge.partitions == MergeStrategy::Excluding {
                table.partition_keys.clear();
            }
            if !table.partition_keys.is_empty() {
                return Err(Error::validation(
                    "the table already has partitions from LIKE",
                    c.partitioned_by[0].span,
                )
                .hint("write EXCLUDING PARTITIONS"));
            }
            for key in &c.partitioned_by {
                table.partition_keys.push(self.key_column(&table, key, "PARTITIONED BY")?);
            }
        }
        let options = option_values(&c.options)?;
        if merge.options == MergeStrategy::Including {
            for (key, value) in &options {
                let known = key == "connector" && !table.connector.connector.is_empty()
                    || table.connector.options.contains_key(key);
                if known {
                    return Err(Error::validation(
                        format!("the option '{key}' comes from the other table already"),
                        value.span,
                    )
                    .hint("write OVERWRITING OPTIONS"));
                }
            }
        }
        table.set_options(options);
        if table.columns.is_empty() {
            return Err(Error::validation(format!("table '{}' has no columns", path.object), c.span));
        }
        self.settle(path, &mut table, c.name.span())?;
        Ok(table)
    }

    /// Gives computed columns their types, and finds what their expressions and the watermark's have wrong.
    pub(super) fn settle(&mut self, path: &ObjectPath, table: &mut Table, at: Span) -> Result<()> {
        let (fields, ..) = self.columns_of(path, table, at)?;
        for (column, field) in table.columns.iter_mut().zip(fields) {
            let nullable = field.ty.nullable;
            // The time attribute belongs to the watermark, not to the declaration; processing time to the expression.
            column.ty = crate::batch::DataType { nullable, ..field.ty.with_time(column.ty.time) };
        }
        Ok(())
    }

    pub(super) fn schema(&mut self, table: &mut Table, schema: &TableSchema, merge: &Merge) -> Result<()> {
        let inherited = table.columns.len();
        let mut keys: Vec<(Vec<&ast::Ident>, Option<bool>, Span)> = vec![];
        for column in &schema.columns {
            let Some(name) = column.name.as_simple() else {
                return Err(Error::validation("a column's name has one part", column.name.span()));
            };
            let kind = match &column.kind {
                ast::ColumnKind::Physical { ty, constraint } => {
                    if let Some(c) = constraint {
                        if c.kind == ConstraintKind::Unique {
                            return Err(Error::unsupported("UNIQUE", c.span));
                        }
                        keys.push((vec![name], c.enforced, c.span));
                    }
                    (types::data_type(ty)?, ColumnKind::Physical)
                }
                ast::ColumnKind::Computed(e) => {
                    (TypeKind::Null.nullable(), ColumnKind::Computed(self.sql_text(e.span)))
                }
                ast::ColumnKind::Metadata { ty, from, is_virtual } => {
                    let key = from.clone().unwrap_or_else(|| name.name.clone());
                    (types::data_type(ty)?, ColumnKind::Metadata { key, is_virtual: *is_virtual })
                }
            };
            let new = TableColumn {
                name: name.name.clone(),
                ty: kind.0,
                kind: kind.1,
                comment: column.comment.clone(),
                span: column.span,
            };
            match table.column(&name.name) {
                None => table.columns.push(new),
                Some(i) if i < inherited && merge.overwrites(&table.columns[i].kind, &new.kind) => {
                    table.columns[i] = new;
                }
                Some(i) => {
                    let e = Error::validation(format!("column '{name}' is declared twice"), name.span);
                    return Err(if i < inherited {
                        e.hint("the table of LIKE has a column of that name")
                    } else {
                        e
                    });
                }
            }
        }
        for constraint in &schema.constraints {
            if constraint.kind == ConstraintKind::Unique {
                return Err(Error::unsupported("UNIQUE", constraint.span));
            }
            keys.push((constraint.columns.iter().collect(), constraint.enforced, constraint.span));
        }
        for (columns, enforced, span) in keys {
            if enforced != Some(false) {
                return Err(Error::planning(
                    "a primary key cannot be enforced: the data is not Pelton's to check",
                    span,
                )
                .hint("write PRIMARY KEY … NOT ENFORCED"));
            }
            if !table.primary_key.is_empty() {
                return Err(Error::validation("the table has two primary keys", span));
            }
            for name in columns {
                let c = self.key_column(table, name, "PRIMARY KEY")?;
                table.columns[c].ty.nullable = false;
                table.primary_key.push(c);
            }
        }
        if let Some(w) = &schema.watermark {
            if table.watermark.is_some() && merge.watermarks != MergeStrategy::Overwriting {
                return Err(Error::validation("the table already has a watermark from LIKE", w.span)
                    .hint("write EXCLUDING WATERMARKS or OVERWRITING WATERMARKS"));
            }
            let Some(name) = w.column.as_simple() else {
                return Err(Error::unsupported("a watermark on a nested field", w.column.span()));
            };
            let Some(column) = table.column(&name.name) else {
                let e = Error::validation(
                    format!("the watermark's column '{name}' is not in the table"),
                    name.span,
                );
                return Err(
                    match super::names::did_you_mean(
                        &name.name,
                        table.columns.iter().map(|c| c.name.as_str()),
                    ) {
                        Some(hint) => e.hint(hint),
                        None => e,
                    },
                );
            };
            table.watermark = Some(WatermarkSpec { column, expr: self.sql_text(w.expr.span), span: w.span });
        }
        Ok(())
    }

    fn key_column(&self, table: &Table, name: &ast::Ident, clause: &str) -> Result<usize> {
        match table.column(&name.name) {
            Some(c) if table.columns[c].is_physical() => Ok(c),
            Some(_) => Err(Error::validation(
                format!("{clause} takes physical columns, and '{name}' is none"),
                name.span,
            )),
            None => Err(Error::validation(format!("{clause}: the table has no column '{name}'"), name.span)),
        }
    }

    /// LIKE: what the other table gives.
    fn like_table(&mut self, table: &mut Table, like: &TableLike, merge: &Merge) -> Result<()> {
        let (_, object) = self.lookup(&like.table)?;
        let Object::Table(base) = object else {
            return Err(Error::validation(
                format!("'{}' is a view: LIKE takes a table", like.table),
                like.table.span(),
            ));
        };
        let keep = |s: MergeStrategy| s != MergeStrategy::Excluding;
        let mut numbers = vec![];
        for c in &base.columns {
            let kept = match c.kind {
                ColumnKind::Physical => true,
                ColumnKind::Computed(_) => keep(merge.generated),
                ColumnKind::Metadata { .. } => keep(merge.metadata),
            };
            numbers.push(kept.then_some(table.columns.len()));
            if kept {
                table.columns.push(c.clone());
            }
        }
        let map = |columns: &[usize]| columns.iter().filter_map(|&c| numbers[c]).collect::<Vec<_>>();
        if keep(merge.watermarks)
            && let Some(w) = &base.watermark
            && let Some(column) = numbers[w.column]
        {
            table.watermark = Some(WatermarkSpec { column, ..w.clone() });
        }
        if keep(merge.constraints) {
            table.primary_key = map(&base.primary_key);
        }
        // EXCLUDING PARTITIONS counts where the table has its own, as in Flink.
        table.partition_keys = map(&base.partition_keys);
        if keep(merge.options) {
            table.connector.connector.clone_from(&base.connector.connector);
            table.connector.options.clone_from(&base.connector.options);
        }
        Ok(())
    }

    /// CREATE VIEW: its query is bound to check it and to name its columns.
    pub(crate) fn create_view(&mut self, c: &CreateView) -> Result<View> {
        let mut rel = self.query(&c.query)?;
        rename(&mut rel, &c.columns, &format!("view '{}'", c.name))?;
        Ok(View {
            columns: rel.schema.fields.into_iter().map(|f| f.name).collect(),
            query: self.sql_text(c.query.span),
            context: self.context.clone(),
            comment: c.comment.clone(),
            definition: self.sql_text(c.span),
        })
    }

    /// ALTER VIEW … AS.
    pub(crate) fn alter_view(&mut self, view: &View, query: &ast::Query) -> Result<View> {
        let rel = self.query(query)?;
        Ok(View {
            columns: rel.schema.fields.into_iter().map(|f| f.name).collect(),
            query: self.sql_text(query.span),
            context: self.context.clone(),
            ..view.clone()
        })
    }
}

/// ALTER TABLE … SET and RESET; what [`Binder::alter_columns`] does not do is refused by name.
pub(crate) fn alter_table(table: &Table, action: &AlterTableAction, at: Span) -> Result<Table> {
    let mut table = table.clone();
    let refuse = |what: &str| Err(Error::unsupported(format!("ALTER TABLE … {what}"), at));
    match action {
        AlterTableAction::Set(options) => table.set_options(option_values(options)?),
        AlterTableAction::Reset(keys) => {
            for key in keys {
                if key.key == "connector" {
                    return Err(Error::validation("'connector' cannot be reset", key.span));
                }
                table.connector.options.remove(&key.key);
            }
        }
        AlterTableAction::Rename(_) => unreachable!("the planner renames"),
        AlterTableAction::RenameColumn { .. }
        | AlterTableAction::Add(_)
        | AlterTableAction::Modify(_)
        | AlterTableAction::DropColumns(_)
        | AlterTableAction::DropPrimaryKey
        | AlterTableAction::DropWatermark => unreachable!("of columns, keys and watermarks"),
        AlterTableAction::AddDistribution(_)
        | AlterTableAction::ModifyDistribution(_)
        | AlterTableAction::DropDistribution => return refuse("DISTRIBUTION"),
        AlterTableAction::AddPartitions { .. } => return refuse("ADD PARTITION"),
        AlterTableAction::DropPartitions { .. } => return refuse("DROP PARTITION"),
        AlterTableAction::DropConstraint(_) => return refuse("DROP CONSTRAINT"),
        AlterTableAction::Suspend
        | AlterTableAction::Resume(_)
        | AlterTableAction::Refresh(_)
        | AlterTableAction::SetFreshness(_)
        | AlterTableAction::SetRefreshMode(_)
        | AlterTableAction::AsQuery(_) => return Err(Error::unsupported("ALTER MATERIALIZED TABLE", at)),
    }
    Ok(table)
}

/// A WITH clause's options.
///
/// # Errors
/// A key is given twice.
pub(crate) fn option_values(options: &[TableOption]) -> Result<Vec<(String, OptionValue)>> {
    let mut out: Vec<(String, OptionValue)> = vec![];
    for o in options {
        if out.iter().any(|x| x.0 == o.key) {
            return Err(Error::validation(format!("the option '{}' is given twice", o.key), o.span));
        }
        let span = if o.value_span.0 == Span::default() { o.span } else { o.value_span.0 };
        out.push((o.key.clone(), OptionValue { value: o.value.clone(), span, pair: o.span }));
    }
    Ok(out)
}

fn options_span(options: &[TableOption], otherwise: Span) -> Span {
    options.iter().map(|o| o.span).reduce(Span::to).unwrap_or(otherwise)
}

/// How LIKE merges each kind of thing.
pub(super) struct Merge {
    constraints: MergeStrategy,
    generated: MergeStrategy,
    metadata: MergeStrategy,
    options: MergeStrategy,
    partitions: MergeStrategy,
    watermarks: MergeStrategy,
}

impl Default for Merge {
    fn default() -> Self {
        use MergeStrategy::*;
        Self {
            constraints: Including,
            generated: Including,
            metadata: Including,
            options: Overwriting,
            partitions: Including,
            watermarks: Including,
        }
    }
}

impl Merge {
    fn new(options: &[ast::LikeOption]) -> Result<Self> {
        let mut merge = Self::default();
        // ALL first: the others refine it, in whatever order they stand.
        let ordered = options
            .iter()
            .filter(|o| o.feature == LikeFeature::All)
            .chain(options.iter().filter(|o| o.feature != LikeFeature::All));
        for o in ordered {
            let s = o.strategy;
            let overwriting = s == MergeStrategy::Overwriting;
            let cannot = matches!(
                o.feature,
                LikeFeature::All
                    | LikeFeature::Constraints
                    | LikeFeature::Partitions
                    | LikeFeature::Distribution
            );
            if overwriting && cannot {
                return Err(Error::validation(
                    "only GENERATED, METADATA, OPTIONS and WATERMARKS can be overwritten",
                    o.span,
                ));
            }
            match o.feature {
                LikeFeature::All => {
                    merge = Self {
                        constraints: s,
                        generated: s,
                        metadata: s,
                        options: s,
                        partitions: s,
                        watermarks: s,
                    }
                }
                LikeFeature::Constraints => merge.constraints = s,
                LikeFeature::Distribution => {}
                LikeFeature::Generated => merge.generated = s,
                LikeFeature::Metadata => merge.metadata = s,
                LikeFeature::Options => merge.options = s,
                LikeFeature::Partitions => merge.partitions = s,
                LikeFeature::Watermarks => merge.watermarks = s,
            }
        }
        Ok(merge)
    }

    /// A declared column replaces the inherited one of the same name.
    fn overwrites(&self, inherited: &ColumnKind, declared: &ColumnKind) -> bool {
        match (inherited, declared) {
            (ColumnKind::Computed(_), ColumnKind::Computed(_)) => {
                self.generated == MergeStrategy::Overwriting
            }
            (ColumnKind::Metadata { .. }, ColumnKind::Metadata { .. }) => {
                self.metadata == MergeStrategy::Overwriting
            }
            _ => false,
        }
    }
}

/// The query's columns in the order of `names`, which are all of them.
fn order_of(names: &[ast::ObjectName], rel: &Rel) -> Result<Vec<usize>> {
    let mut order = vec![];
    for name in names {
        let of = |n: &ast::Ident| rel.schema.fields.iter().position(|f| f.name == n.name);
        let Some(column) = name.as_simple().and_then(of) else {
            return Err(Error::validation(format!("column '{name}' is not one of the query's"), name.span()));
        };
        if order.contains(&column) {
            return Err(Error::validation(format!("column '{name}' is there twice"), name.span()));
        }
        order.push(column);
    }
    if order.len() != rel.schema.len() {
        let message = format!("{} of the query's {} columns are named", order.len(), rel.schema.len());
        return Err(Error::validation(message, rel.span).hint("name all of them, or none"));
    }
    Ok(order)
}

/// CREATE TABLE … AS: the columns of the query that the table does not declare itself, behind those that it does.
fn query_columns(table: &mut Table, rel: &Rel, order: &[usize]) -> Result<()> {
    let all: Vec<usize> = (0..rel.schema.len()).collect();
    for &c in if order.is_empty() { &all } else { order } {
        let field = &rel.schema.fields[c];
        if rel.schema.fields[..c].iter().any(|f| f.name == field.name) {
            let message = format!("the query has two columns '{}'", field.name);
            return Err(Error::validation(message, rel.span).hint("name one of them with AS"));
        }
        if table.columns.iter().any(|t| t.name == field.name) {
            continue;
        }
        table.columns.push(TableColumn {
            name: field.name.clone(),
            ty: field.ty.clone().with_time(TimeAttribute::None),
            kind: ColumnKind::Physical,
            comment: None,
            span: rel.span,
        });
    }
    Ok(())
}
