//! FROM and MATCH_RECOGNIZE.

use super::Printer;
use crate::sql::ast::{
    AfterMatch, ExtendColumn, From, Join, JoinCondition, JoinKind, MatchRecognize, Pattern, PatternKind,
    PatternQuantifier, Pivot, RowsPerMatch, TableFactor, TableName, TableSample, TableSampleKind,
    TableSource, Unpivot,
};

impl Printer {
    pub(super) fn from(&mut self, from: &From) {
        self.table_factor(&from.first);
        for join in &from.joins {
            self.join(join);
        }
    }

    fn join(&mut self, join: &Join) {
        if join.kind == JoinKind::Comma {
            self.tight(",");
            return self.table_factor(&join.right);
        }
        self.word_if(join.natural, "NATURAL");
        self.word(match join.kind {
            JoinKind::Comma | JoinKind::Inner => "JOIN",
            JoinKind::Left => "LEFT JOIN",
            JoinKind::Right => "RIGHT JOIN",
            JoinKind::Full => "FULL JOIN",
            JoinKind::Cross => "CROSS JOIN",
            JoinKind::AsOf => "ASOF JOIN",
            JoinKind::LeftAsOf => "LEFT ASOF JOIN",
        });
        self.table_factor(&join.right);
        if let Some(condition) = &join.match_condition {
            self.word("MATCH_CONDITION");
            self.open();
            self.expr(condition);
            self.close();
        }
        match &join.condition {
            None => {}
            Some(JoinCondition::On(condition)) => self.clause("ON", Some(condition)),
            Some(JoinCondition::Using(columns)) => {
                self.word("USING");
                self.idents(columns);
            }
        }
    }

    pub(super) fn table_factor(&mut self, factor: &TableFactor) {
        match &factor.source {
            TableSource::Table(table) => self.table_name(table),
            TableSource::Function { lateral, wrapped, call } => {
                self.word_if(*lateral, "LATERAL");
                if *wrapped {
                    self.function("TABLE");
                    self.call(call);
                    self.close();
                } else {
                    self.call(call);
                }
            }
            TableSource::Subquery { lateral, query } => {
                self.word_if(*lateral, "LATERAL");
                self.open();
                self.query(query);
                self.close();
            }
            TableSource::Unnest { args, with_ordinality } => {
                self.function("UNNEST");
                self.exprs(args);
                self.close();
                self.word_if(*with_ordinality, "WITH ORDINALITY");
            }
            TableSource::Join(from) => {
                self.open();
                self.from(from);
                self.close();
            }
        }
        if let Some(alias) = &factor.input_alias {
            self.word("AS");
            self.ident(alias);
        }
        if let Some(matched) = &factor.match_recognize {
            self.match_recognize(matched);
        }
        if let Some(pivot) = &factor.pivot {
            self.pivot(pivot);
        }
        if let Some(unpivot) = &factor.unpivot {
            self.unpivot(unpivot);
        }
        if let Some(alias) = &factor.alias {
            self.word("AS");
            self.ident(&alias.name);
            if !alias.columns.is_empty() {
                self.idents(&alias.columns);
            }
        }
        if let Some(sample) = &factor.sample {
            self.table_sample(sample);
        }
    }

    fn table_name(&mut self, table: &TableName) {
        self.name(&table.name);
        self.hints(&table.hints);
        self.extend(&table.extend);
        self.clause("FOR SYSTEM_TIME AS OF", table.as_of.as_deref());
    }

    pub(super) fn extend(&mut self, columns: &[ExtendColumn]) {
        if !columns.is_empty() {
            self.word("EXTEND");
            self.paren_list(columns, |p, column| {
                p.name(&column.name);
                p.type_name(&column.ty);
            });
        }
    }

    fn table_sample(&mut self, sample: &TableSample) {
        self.word("TABLESAMPLE");
        match &sample.kind {
            TableSampleKind::Substitute(name) => {
                self.word("SUBSTITUTE");
                self.open();
                self.string(name);
                self.close();
            }
            TableSampleKind::Percent { bernoulli, percent, repeatable } => {
                self.word(if *bernoulli { "BERNOULLI" } else { "SYSTEM" });
                self.open();
                self.number(percent);
                self.close();
                if let Some(seed) = repeatable {
                    self.word("REPEATABLE");
                    self.open();
                    self.word(&seed.to_string());
                    self.close();
                }
            }
        }
    }

    fn pivot(&mut self, pivot: &Pivot) {
        self.word("PIVOT");
        self.open();
        self.list(&pivot.aggregates, |p, aggregate| {
            p.call(&aggregate.call);
            if let Some(alias) = &aggregate.alias {
                p.word("AS");
                p.ident(alias);
            }
        });
        self.word("FOR");
        self.ident_or_list(&pivot.axes);
        self.word("IN");
        self.paren_list(&pivot.values, |p, value| {
            p.row_of(&value.values);
            if let Some(alias) = &value.alias {
                p.word("AS");
                p.ident(alias);
            }
        });
        self.close();
    }

    fn unpivot(&mut self, unpivot: &Unpivot) {
        self.word("UNPIVOT");
        match unpivot.include_nulls {
            Some(true) => self.word("INCLUDE NULLS"),
            Some(false) => self.word("EXCLUDE NULLS"),
            None => {}
        }
        self.open();
        self.ident_or_list(&unpivot.measures);
        self.word("FOR");
        self.ident_or_list(&unpivot.axes);
        self.word("IN");
        self.paren_list(&unpivot.columns, |p, columns| {
            p.ident_or_list(&columns.columns);
            if let Some(values) = &columns.values {
                p.word("AS");
                p.row_of(values);
            }
        });
        self.close();
    }

    fn row_of(&mut self, values: &[crate::sql::ast::Expr]) {
        let row = crate::sql::ast::ValuesRow { values: values.to_vec(), span: Default::default() };
        self.values_row(&row);
    }

    // ---- MATCH_RECOGNIZE

    fn match_recognize(&mut self, matched: &MatchRecognize) {
        self.word("MATCH_RECOGNIZE");
        self.open();
        if !matched.partition_by.is_empty() {
            self.word("PARTITION BY");
            self.exprs(&matched.partition_by);
        }
        self.order_by(&matched.order_by);
        if !matched.measures.is_empty() {
            self.word("MEASURES");
            self.list(&matched.measures, |p, measure| {
                p.expr(&measure.expr);
                p.word("AS");
                p.ident(&measure.alias);
            });
        }
        match matched.rows_per_match {
            Some(RowsPerMatch::One) => self.word("ONE ROW PER MATCH"),
            Some(RowsPerMatch::All) => self.word("ALL ROWS PER MATCH"),
            None => {}
        }
        match &matched.after_match {
            None => {}
            Some(AfterMatch::ToNextRow) => self.word("AFTER MATCH SKIP TO NEXT ROW"),
            Some(AfterMatch::PastLastRow) => self.word("AFTER MATCH SKIP PAST LAST ROW"),
            Some(AfterMatch::ToFirst(variable)) => {
                self.word("AFTER MATCH SKIP TO FIRST");
                self.ident(variable);
            }
            Some(AfterMatch::ToLast(variable)) => {
                self.word("AFTER MATCH SKIP TO LAST");
                self.ident(variable);
            }
        }
        self.word("PATTERN");
        self.open();
        self.word_if(matched.starts_at_partition, "^");
        self.pattern(&matched.pattern, 0);
        self.word_if(matched.ends_at_partition, "$");
        self.close();
        if let Some(within) = &matched.within {
            self.word("WITHIN");
            self.interval_literal(within);
        }
        if !matched.subsets.is_empty() {
            self.word("SUBSET");
            self.list(&matched.subsets, |p, subset| {
                p.ident(&subset.name);
                p.word("=");
                p.paren_list(&subset.members, Self::expr);
            });
        }
        self.word("DEFINE");
        self.list(&matched.definitions, |p, definition| {
            p.ident(&definition.name);
            p.word("AS");
            p.expr(&definition.condition);
        });
        self.close();
    }

    /// A pattern at a place for what binds at least as tightly as `floor`.
    fn pattern(&mut self, pattern: &Pattern, floor: u8) {
        let level = match pattern.kind {
            PatternKind::Alternation(_) => 0,
            PatternKind::Concat(_) => 1,
            PatternKind::Repeat { .. } => 2,
            _ => 3,
        };
        if level < floor {
            self.open();
            self.pattern(pattern, 0);
            return self.close();
        }
        match &pattern.kind {
            PatternKind::Variable(name) => self.ident(name),
            PatternKind::Concat(parts) => {
                for part in parts {
                    self.pattern(part, 2);
                }
            }
            PatternKind::Alternation(alternatives) => {
                for (i, alternative) in alternatives.iter().enumerate() {
                    self.word_if(i > 0, "|");
                    self.pattern(alternative, 1);
                }
            }
            PatternKind::Repeat { pattern, quantifier } => {
                self.pattern(pattern, 3);
                self.quantifier(quantifier);
            }
            PatternKind::Exclude(inner) => {
                self.word("{-");
                self.pattern(inner, 0);
                self.word("-}");
            }
            PatternKind::Permute(parts) => {
                self.word("PERMUTE");
                self.paren_list(parts, |p, part| p.pattern(part, 0));
            }
        }
    }

    fn quantifier(&mut self, quantifier: &PatternQuantifier) {
        let text = match (quantifier.min, quantifier.max) {
            (Some(0), None) => "*".into(),
            (Some(1), None) => "+".into(),
            (Some(0), Some(1)) => "?".into(),
            (Some(min), Some(max)) if min == max => format!("{{{min}}}"),
            (min, max) => {
                let show = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
                format!("{{{},{}}}", show(min), show(max))
            }
        };
        self.tight(&text);
        if quantifier.reluctant {
            self.tight("?");
        }
    }
}
