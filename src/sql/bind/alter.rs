//! ALTER TABLE ADD, MODIFY, DROP and RENAME of columns, keys and watermarks.
//!
//! Keys and the watermark name columns by number, so every change of order goes through [`move_column`]. What other columns are
//! computed from stays: at the end all expressions are bound again, and one that no longer can be refuses the change.

use super::Binder;
use super::ddl::Merge;
use crate::error::{Error, Result, Span};
use crate::plan::catalog::{ObjectPath, Table};
use crate::sql::ast::{self, AlterTableAction as Action, ColumnPosition, ObjectName, TableSchema};

impl Binder<'_> {
    /// What the action makes of the table; `None`: it is not about columns, keys or watermarks.
    pub(crate) fn alter_columns(
        &mut self,
        path: &ObjectPath,
        table: &Table,
        action: &Action,
        at: Span,
    ) -> Result<Option<Table>> {
        let mut t = table.clone();
        match action {
            Action::Add(schema) => self.add(&mut t, schema)?,
            Action::Modify(schema) => self.modify(&mut t, schema)?,
            Action::RenameColumn { from, to } => rename(&mut t, from, to)?,
            Action::DropColumns(names) => names.iter().try_for_each(|n| drop_column(&mut t, n))?,
            Action::DropPrimaryKey if t.primary_key.is_empty() => {
                return Err(Error::validation("the table has no primary key", at));
            }
            Action::DropPrimaryKey => t.primary_key.clear(),
            Action::DropWatermark if t.watermark.is_none() => {
                return Err(Error::validation("the table has no watermark", at));
            }
            Action::DropWatermark => t.watermark = None,
            _ => return Ok(None),
        }
        if t.columns.iter().all(|c| matches!(c.kind, crate::plan::catalog::ColumnKind::Computed(_))) {
            return Err(Error::validation("a table needs a column that is not computed", at));
        }
        self.settle(path, &mut t, at)?;
        Ok(Some(t))
    }

    fn add(&mut self, t: &mut Table, schema: &TableSchema) -> Result<()> {
        for c in &schema.columns {
            if t.column(&c.name.to_string()).is_some() {
                return Err(Error::validation(format!("the table has a column '{}'", c.name), c.span)
                    .hint("MODIFY changes a column"));
            }
        }
        if let (Some(w), true) = (&schema.watermark, t.watermark.is_some()) {
            return Err(
                Error::validation("the table has a watermark", w.span).hint("MODIFY WATERMARK changes it")
            );
        }
        self.schema(t, schema, &Merge::default())?;
        schema.columns.iter().try_for_each(|c| place(t, c))
    }

    fn modify(&mut self, t: &mut Table, schema: &TableSchema) -> Result<()> {
        // The old columns make room under a name that nobody can write.
        let mut places = vec![];
        for c in &schema.columns {
            let i = find(t, &c.name)?;
            t.columns[i].name.insert(0, '\0');
            places.push(i);
        }
        if !schema.constraints.is_empty() {
            t.primary_key.clear();
        }
        if let Some(w) = &schema.watermark
            && t.watermark.take().is_none()
        {
            return Err(Error::validation("the table has no watermark", w.span).hint("ADD one"));
        }
        let before = t.columns.len();
        self.schema(t, schema, &Merge::default())?;
        for (n, i) in places.into_iter().enumerate() {
            let key = t.primary_key.contains(&i);
            t.columns[i] = t.columns[before + n].clone();
            t.columns[i].ty.nullable &= !key;
            let back = |c: &mut usize| *c = if *c == before + n { i } else { *c };
            t.primary_key.iter_mut().for_each(back);
            t.watermark.iter_mut().for_each(|w| back(&mut w.column));
        }
        t.columns.truncate(before);
        schema.columns.iter().try_for_each(|c| place(t, c))
    }
}

fn find(t: &Table, name: &ObjectName) -> Result<usize> {
    let simple =
        name.as_simple().ok_or_else(|| Error::unsupported("ALTER TABLE of a nested field", name.span()))?;
    t.column(&simple.name)
        .ok_or_else(|| Error::validation(format!("the table has no column '{name}'"), name.span()))
}

/// Moves a column to where FIRST or AFTER says.
fn place(t: &mut Table, c: &ast::Column) -> Result<()> {
    let from = find(t, &c.name)?;
    match &c.position {
        None => {}
        Some(ColumnPosition::First) => move_column(t, from, 0),
        Some(ColumnPosition::After(name)) => {
            let after = find(t, name)?;
            move_column(t, from, if after < from { after + 1 } else { after });
        }
    }
    Ok(())
}

/// Column `from` becomes column `to`; the numbers of keys and of the watermark follow.
fn move_column(t: &mut Table, from: usize, to: usize) {
    let mut order: Vec<usize> = (0..t.columns.len()).collect();
    let moved = order.remove(from);
    order.insert(to, moved);
    let at = |c: usize| order.iter().position(|o| *o == c).unwrap_or(c);
    t.primary_key.iter_mut().chain(&mut t.partition_keys).for_each(|c| *c = at(*c));
    t.watermark.iter_mut().for_each(|w| w.column = at(w.column));
    let moved = t.columns.remove(from);
    t.columns.insert(to, moved);
}

fn rename(t: &mut Table, from: &ObjectName, to: &ObjectName) -> Result<()> {
    let i = find(t, from)?;
    let Some(new) = to.as_simple() else {
        return Err(Error::validation("a column's name has one part", to.span()));
    };
    if t.column(&new.name).is_some() {
        return Err(Error::validation(format!("the table has a column '{to}'"), to.span()));
    }
    if t.partition_keys.contains(&i) {
        return Err(Error::validation(format!("the table is partitioned by '{from}'"), from.span()));
    }
    t.columns[i].name.clone_from(&new.name);
    Ok(())
}

fn drop_column(t: &mut Table, name: &ObjectName) -> Result<()> {
    let i = find(t, name)?;
    let used = [
        (t.primary_key.contains(&i), "is part of the primary key"),
        (t.partition_keys.contains(&i), "is a partition key"),
        (t.watermark.as_ref().is_some_and(|w| w.column == i), "has the watermark"),
    ];
    if let Some((_, how)) = used.into_iter().find(|u| u.0) {
        return Err(Error::validation(format!("column '{name}' {how}"), name.span()));
    }
    let last = t.columns.len() - 1;
    move_column(t, i, last);
    t.columns.pop();
    Ok(())
}
