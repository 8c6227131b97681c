//! Queries.

use super::Printer;
use crate::sql::ast::{
    ExprKind, GroupingElement, GroupingElementKind, Hint, HintArgs, OrderItem, Query, QueryBody,
    QueryBodyKind, Select, SelectItem, SetOp, SetQuantifier, ValuesRow,
};

impl Printer {
    pub(super) fn query(&mut self, query: &Query) {
        if !query.with.is_empty() {
            self.word(if query.recursive { "WITH RECURSIVE" } else { "WITH" });
            self.list(&query.with, |p, table| {
                p.ident(&table.name);
                if !table.columns.is_empty() {
                    p.idents(&table.columns);
                }
                p.word("AS");
                p.open();
                p.query(&table.query);
                p.close();
            });
        }
        self.query_body(&query.body);
        self.order_by(&query.order_by);
        if let Some(limit) = &query.limit {
            self.clause("LIMIT", Some(limit));
            self.clause("OFFSET", query.offset.as_ref());
        } else if let Some(offset) = &query.offset {
            self.clause("OFFSET", Some(offset));
            self.word("ROWS");
        }
    }

    fn query_body(&mut self, body: &QueryBody) {
        match &body.kind {
            QueryBodyKind::Select(select) => self.select(select),
            QueryBodyKind::Values(rows) => {
                self.word("VALUES");
                self.list(rows, Self::values_row);
            }
            QueryBodyKind::Table(name) => {
                self.word("TABLE");
                self.name(name);
            }
            QueryBodyKind::Nested(query) => {
                self.open();
                self.query(query);
                self.close();
            }
            QueryBodyKind::SetOperation { first, rest } => {
                self.query_body(first);
                for operand in rest {
                    self.word(match operand.op {
                        SetOp::Union => "UNION",
                        SetOp::Except => "EXCEPT",
                        SetOp::Intersect => "INTERSECT",
                    });
                    self.word_if(operand.all, "ALL");
                    self.query_body(&operand.body);
                }
            }
        }
    }

    fn select(&mut self, select: &Select) {
        self.word("SELECT");
        self.hints(&select.hints);
        self.word_if(select.stream, "STREAM");
        match select.quantifier {
            Some(SetQuantifier::All) => self.word("ALL"),
            Some(SetQuantifier::Distinct) => self.word("DISTINCT"),
            None => {}
        }
        self.list(&select.items, Self::select_item);
        let Some(from) = &select.from else { return };
        self.word("FROM");
        self.from(from);
        self.clause("WHERE", select.filter.as_ref());
        if let Some(group_by) = &select.group_by {
            self.word("GROUP BY");
            self.word_if(group_by.distinct, "DISTINCT");
            self.list(&group_by.elements, Self::grouping_element);
        }
        self.clause("HAVING", select.having.as_ref());
        if !select.windows.is_empty() {
            self.word("WINDOW");
            self.list(&select.windows, |p, window| {
                p.ident(&window.name);
                p.word("AS");
                p.window_spec(&window.spec);
            });
        }
        self.clause("QUALIFY", select.qualify.as_ref());
    }

    fn select_item(&mut self, item: &SelectItem) {
        self.expr(&item.expr);
        if let Some(alias) = &item.alias {
            self.word("AS");
            self.ident(alias);
        }
    }

    fn grouping_element(&mut self, element: &GroupingElement) {
        match &element.kind {
            GroupingElementKind::Empty => self.word("()"),
            GroupingElementKind::Expr(expr) => self.expr(expr),
            GroupingElementKind::GroupingSets(elements) => {
                self.word("GROUPING SETS");
                self.paren_list(elements, Self::grouping_element);
            }
            GroupingElementKind::Rollup(exprs) => {
                self.word("ROLLUP");
                self.paren_list(exprs, Self::expr);
            }
            GroupingElementKind::Cube(exprs) => {
                self.word("CUBE");
                self.paren_list(exprs, Self::expr);
            }
        }
    }

    /// ` ORDER BY a, b`, or nothing.
    pub(super) fn order_by(&mut self, items: &[OrderItem]) {
        if !items.is_empty() {
            self.word("ORDER BY");
            self.list(items, Self::order_item);
        }
    }

    pub(super) fn order_item(&mut self, item: &OrderItem) {
        self.expr(&item.expr);
        self.word_if(item.descending, "DESC");
        match item.nulls_first {
            Some(true) => self.word("NULLS FIRST"),
            Some(false) => self.word("NULLS LAST"),
            None => {}
        }
    }

    pub(super) fn values_row(&mut self, row: &ValuesRow) {
        // (ROW(1, 2)) is a row of two values.
        if let [value] = row.values.as_slice()
            && let ExprKind::Row { explicit: true, .. } = value.kind
        {
            self.function("ROW");
        } else {
            self.open();
        }
        self.exprs(&row.values);
        self.close();
    }

    pub(super) fn hints(&mut self, hints: &[Hint]) {
        if hints.is_empty() {
            return;
        }
        self.word("/*+");
        self.list(hints, |p, hint| {
            p.ident(&hint.name);
            match &hint.args {
                HintArgs::None => return,
                HintArgs::Names(names) => {
                    p.glue("(");
                    p.list(names, |p, name| p.ident(name));
                }
                HintArgs::Values(values) => {
                    p.glue("(");
                    p.exprs(values);
                }
                HintArgs::Options(options) => {
                    p.glue("(");
                    p.list(options, |p, option| {
                        if option.bare_key {
                            let key = crate::sql::ast::Ident::new(option.key.as_str(), false, option.span);
                            p.ident(&key);
                        } else {
                            p.string(&option.key);
                        }
                        p.word("=");
                        p.string(&option.value);
                    });
                }
            }
            p.close();
        });
        self.word("*/");
    }
}
