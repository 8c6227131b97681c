//! FROM: tables, table functions, subqueries, joins and what may follow a table.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{
    ExtendColumn, From, FunctionCall, Join, JoinCondition, JoinKind, ObjectName, Pivot, PivotAggregate,
    PivotValue, Query, TableAlias, TableFactor, TableName, TableSample, TableSampleKind, TableSource,
    Unpivot, UnpivotColumns,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

/// What parentheses in FROM hold.
enum Parenthesised {
    Query(Query),
    From(From),
}

impl Parser<'_> {
    /// Behind FROM.
    pub(super) fn from(&mut self) -> Result<From> {
        let start = self.here();
        let first = self.table_factor(true)?;
        let mut joins = Vec::new();
        while let Some(join) = self.join(true)? {
            joins.push(join);
        }
        Ok(From { first, joins, span: self.span_from(start) })
    }

    /// The next join, if there is one.
    fn join(&mut self, comma: bool) -> Result<Option<Join>> {
        let start = self.here();
        if comma && self.eat_kind(TokenKind::Comma) {
            let right = self.table_factor(true)?;
            let span = self.span_from(start);
            let kind = JoinKind::Comma;
            return Ok(Some(Join {
                kind,
                natural: false,
                right,
                match_condition: None,
                condition: None,
                span,
            }));
        }
        let natural = self.take(K::NATURAL);
        let Some(kind) = self.join_kind(natural)? else { return Ok(None) };
        let asof = matches!(kind, JoinKind::AsOf | JoinKind::LeftAsOf);
        let right = self.table_factor(!asof)?;
        let match_condition = if asof { Some(self.match_condition()?) } else { None };
        let condition = if self.eat(K::ON) {
            Some(JoinCondition::On(self.expr()?))
        } else if self.eat(K::USING) {
            Some(JoinCondition::Using(self.paren_idents()?))
        } else {
            None
        };
        Ok(Some(Join { kind, natural, right, match_condition, condition, span: self.span_from(start) }))
    }

    fn join_kind(&mut self, natural: bool) -> Result<Option<JoinKind>> {
        // Flink 2.3 has no ASOF: there, an ASOF before JOIN is a table's alias, and so it is here unless LEFT or the
        // whole of `ASOF JOIN t MATCH_CONDITION (` shows what is meant (see `table_alias`).
        let kind = if self.at(K::JOIN) {
            JoinKind::Inner
        } else if self.at(K::INNER) {
            self.next();
            JoinKind::Inner
        } else if self.at(K::LEFT) {
            self.next();
            if self.is_word("ASOF") {
                self.next();
                JoinKind::LeftAsOf
            } else {
                self.eat(K::OUTER);
                JoinKind::Left
            }
        } else if self.at(K::RIGHT) {
            self.next();
            self.eat(K::OUTER);
            JoinKind::Right
        } else if self.at(K::FULL) {
            self.next();
            self.eat(K::OUTER);
            JoinKind::Full
        } else if self.at(K::CROSS) {
            self.next();
            JoinKind::Cross
        } else if self.is_word("ASOF") && self.kind_at(1) == TokenKind::Keyword(K::JOIN) {
            self.next();
            JoinKind::AsOf
        } else if natural {
            return Err(self.expected_here("JOIN"));
        } else {
            return Ok(None);
        };
        self.expect(K::JOIN)?;
        Ok(Some(kind))
    }

    /// `MATCH_CONDITION (a.ts >= b.ts)`, or without parentheses.
    fn match_condition(&mut self) -> Result<crate::sql::ast::Expr> {
        if !self.is_word("MATCH_CONDITION") {
            return Err(self.expected_here("MATCH_CONDITION"));
        }
        self.next();
        self.expr()
    }

    fn is_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == TokenKind::Word && self.text_of(token).eq_ignore_ascii_case(word)
    }

    /// One table with all that may follow it. `any_alias` is false where MATCH_CONDITION is none.
    pub(super) fn table_factor(&mut self, any_alias: bool) -> Result<TableFactor> {
        let start = self.here();
        let source = self.table_source()?;
        let is_join = matches!(source, TableSource::Join(_));
        let matchable = matches!(source, TableSource::Table(_) | TableSource::Subquery { .. });
        let mut factor = TableFactor {
            source,
            input_alias: None,
            match_recognize: None,
            pivot: None,
            unpivot: None,
            alias: None,
            sample: None,
            span: self.span_from(start),
        };
        if matchable {
            if let Some(ahead) = self.input_alias_ahead() {
                self.at += ahead;
                factor.input_alias = Some(self.ident()?);
            }
            if self.at(K::MATCH_RECOGNIZE) {
                factor.match_recognize = Some(Box::new(self.nested(Self::match_recognize)?));
            }
        }
        if self.take(K::PIVOT) {
            factor.pivot = Some(Box::new(self.nested(Self::pivot)?));
        }
        if self.take(K::UNPIVOT) {
            factor.unpivot = Some(Box::new(self.nested(Self::unpivot)?));
        }
        factor.alias = self.table_alias(any_alias)?;
        if self.take(K::TABLESAMPLE) {
            factor.sample = Some(self.table_sample()?);
        }
        factor.span = self.span_from(start);
        let plain = factor.match_recognize.is_none()
            && factor.pivot.is_none()
            && factor.unpivot.is_none()
            && factor.alias.is_none()
            && factor.sample.is_none();
        if is_join && !plain {
            return Err(Error::syntax(
                "nothing can be said of a join in parentheses, not even an alias",
                factor.span,
            )
            .hint("put it into a query: (SELECT * FROM a JOIN b ON …) AS x"));
        }
        Ok(factor)
    }

    /// For `[AS] name MATCH_RECOGNIZE`, how many tokens stand before the name.
    fn input_alias_ahead(&self) -> Option<usize> {
        let ahead = usize::from(self.is(K::AS));
        let then_match = self.kind_at(ahead + 1) == TokenKind::Keyword(K::MATCH_RECOGNIZE);
        (Self::is_name(self.kind_at(ahead)) && then_match).then_some(ahead)
    }

    fn table_alias(&mut self, any_alias: bool) -> Result<Option<TableAlias>> {
        let start = self.here();
        let explicit = self.eat(K::AS);
        if !explicit {
            if !self.at_name() || !any_alias && self.is_word("MATCH_CONDITION") {
                return Ok(None);
            }
            if self.is_word("ASOF")
                && self.kind_at(1) == TokenKind::Keyword(K::JOIN)
                && self.asof_join_ahead()
            {
                return Ok(None);
            }
        }
        let name = self.ident_as("an alias")?;
        let columns = if self.at_kind(TokenKind::LeftParen) { self.paren_idents()? } else { Vec::new() };
        Ok(Some(TableAlias { name, columns, span: self.span_from(start) }))
    }

    /// Whether behind `ASOF JOIN` a MATCH_CONDITION follows before the clause ends.
    fn asof_join_ahead(&self) -> bool {
        let mut depth = 0usize;
        for token in &self.tokens[self.at + 2..] {
            match token.kind {
                TokenKind::LeftParen | TokenKind::HintStart => depth += 1,
                TokenKind::RightParen | TokenKind::HintEnd if depth == 0 => return false,
                TokenKind::RightParen | TokenKind::HintEnd => depth -= 1,
                TokenKind::Word
                    if depth == 0 && self.text_of(*token).eq_ignore_ascii_case("MATCH_CONDITION") =>
                {
                    return true;
                }
                TokenKind::Comma | TokenKind::Semicolon | TokenKind::End if depth == 0 => return false,
                TokenKind::Keyword(
                    K::JOIN | K::ON | K::USING | K::WHERE | K::GROUP | K::ORDER | K::UNION,
                ) if depth == 0 => {
                    return false;
                }
                _ => {}
            }
        }
        false
    }

    // ---- what is read

    fn table_source(&mut self) -> Result<TableSource> {
        let lateral = self.eat(K::LATERAL);
        if self.at(K::UNNEST) {
            self.next();
            let args = self.nested(Self::paren_values)?;
            let with_ordinality = self.eat_all(&[K::WITH, K::ORDINALITY]);
            return Ok(TableSource::Unnest { args, with_ordinality });
        }
        if self.at(K::TABLE) {
            self.next();
            let call = self.nested(|p| p.parens(Self::routine_call))?;
            return Ok(TableSource::Function { lateral, wrapped: true, call: Box::new(call) });
        }
        if self.at_kind(TokenKind::LeftParen) {
            let at = self.here();
            return match self.nested(Self::parenthesised_table)? {
                Parenthesised::Query(query) => Ok(TableSource::Subquery { lateral, query: Box::new(query) }),
                Parenthesised::From(_) if lateral => {
                    Err(Error::syntax("LATERAL stands before a query, not a join", self.span_from(at)))
                }
                Parenthesised::From(from) => Ok(TableSource::Join(Box::new(from))),
            };
        }
        if lateral {
            return Err(self.unexpected());
        }
        let start = self.here();
        let name = self.object_name_as("a table")?;
        if self.kind() == TokenKind::LeftParen && !self.extend_ahead() {
            let mut call: FunctionCall = self.new_call(name, start);
            self.nested(|p| p.routine_args(&mut call))?;
            return Ok(TableSource::Function { lateral, wrapped: false, call: Box::new(call) });
        }
        Ok(TableSource::Table(self.table_name(name, start)?))
    }

    /// Whether parentheses behind a table's name declare columns, `t (a INT)`, and are no arguments.
    fn extend_ahead(&self) -> bool {
        if !Self::is_name(self.kind_at(1)) {
            return false;
        }
        if let TokenKind::Keyword(K::MODEL | K::FINAL) = self.kind_at(1)
            && Self::is_name(self.kind_at(2))
        {
            return false;
        }
        match self.kind_at(2) {
            TokenKind::Keyword(K::FORMAT | K::IMMEDIATELY) => false,
            TokenKind::Keyword(
                K::BOOLEAN
                | K::TINYINT
                | K::SMALLINT
                | K::INT
                | K::INTEGER
                | K::BIGINT
                | K::FLOAT
                | K::REAL
                | K::DOUBLE
                | K::DECIMAL
                | K::DEC
                | K::NUMERIC
                | K::ANY
                | K::CHAR
                | K::CHARACTER
                | K::VARCHAR
                | K::STRING
                | K::BINARY
                | K::VARBINARY
                | K::BYTES
                | K::DATE
                | K::TIME
                | K::TIMESTAMP
                | K::TIMESTAMP_LTZ
                | K::ROW
                | K::ARRAY
                | K::RAW
                | K::STRUCTURED
                | K::VARIANT
                | K::BITMAP,
            ) => true,
            kind => Self::is_name(kind),
        }
    }

    /// What may follow a table's name.
    fn table_name(&mut self, name: ObjectName, start: Span) -> Result<TableName> {
        let hints = self.hints()?;
        let extend = self.extend()?;
        let as_of = if self.eat_all(&[K::FOR, K::SYSTEM_TIME]) {
            self.expect_all(&[K::AS, K::OF])?;
            Some(Box::new(self.expr()?))
        } else {
            None
        };
        Ok(TableName { name, hints, extend, as_of, span: self.span_from(start) })
    }

    /// `[EXTEND] (a INT, b STRING)`, or nothing.
    pub(super) fn extend(&mut self) -> Result<Vec<ExtendColumn>> {
        let bare = self.kind() == TokenKind::LeftParen && self.extend_ahead();
        if !bare && !self.take(K::EXTEND) {
            return Ok(Vec::new());
        }
        self.paren_list(|p| {
            let start = p.here();
            let name = p.object_name_as("a column name")?;
            let ty = p.column_type()?;
            Ok(ExtendColumn { name, ty, span: p.span_from(start) })
        })
    }

    /// A query or a join in parentheses. `((SELECT …) UNION …)` begins like a join and turns out a query.
    fn parenthesised_table(&mut self) -> Result<Parenthesised> {
        self.expect_kind(TokenKind::LeftParen)?;
        let table_function = self.is(K::TABLE) && self.kind_at(1) == TokenKind::LeftParen;
        let start = self.here();
        if self.query_starts_at(0) && !table_function {
            let query = self.query()?;
            self.expect_kind(TokenKind::RightParen)?;
            return Ok(Parenthesised::Query(query));
        }
        let first = self.table_factor(true)?;
        if let TableFactor {
            source: TableSource::Subquery { lateral: false, .. },
            match_recognize: None,
            pivot: None,
            unpivot: None,
            alias: None,
            sample: None,
            ..
        } = &first
            && (self.query_goes_on() || self.kind() == TokenKind::RightParen)
        {
            let TableSource::Subquery { query, .. } = first.source else { unreachable!("just matched") };
            let query = if self.query_goes_on() { self.query_after(query, start)? } else { *query };
            self.expect_kind(TokenKind::RightParen)?;
            return Ok(Parenthesised::Query(query));
        }
        let mut joins = Vec::new();
        while let Some(join) = self.join(false)? {
            joins.push(join);
        }
        if self.kind() == TokenKind::Comma {
            return Err(self
                .unexpected()
                .hint("only FROM itself lists tables with commas; here write CROSS JOIN"));
        }
        let span = self.span_from(start);
        self.expect_kind(TokenKind::RightParen)?;
        if !joins.is_empty() {
            self.deepen()?;
            return Ok(Parenthesised::From(From { first, joins, span }));
        }
        match first.source {
            // ((a JOIN b)): the parentheses are nothing.
            TableSource::Join(from) => Ok(Parenthesised::From(*from)),
            _ => Err(Error::syntax("parentheses in FROM hold a query or a join, not a single table", span)
                .hint("take the parentheses away")),
        }
    }

    // ---- what follows a table

    fn table_sample(&mut self) -> Result<TableSample> {
        let start = self.here();
        if self.eat(K::SUBSTITUTE) {
            let name = self.parens(Self::string)?;
            return Ok(TableSample { kind: TableSampleKind::Substitute(name), span: self.span_from(start) });
        }
        let bernoulli = self.eat(K::BERNOULLI);
        if !bernoulli {
            self.expect(K::SYSTEM)?;
        }
        let percent = self.parens(Self::number)?;
        let repeatable = if self.eat(K::REPEATABLE) {
            Some(self.parens(|p| {
                let negative = p.eat_kind(TokenKind::Minus);
                if !negative {
                    p.eat_kind(TokenKind::Plus);
                }
                let seed = p.small_integer()? as i32;
                Ok(if negative { -seed } else { seed })
            })?)
        } else {
            None
        };
        let kind = TableSampleKind::Percent { bernoulli, percent, repeatable };
        Ok(TableSample { kind, span: self.span_from(start) })
    }

    fn pivot(&mut self) -> Result<Pivot> {
        let start = self.expect_kind(TokenKind::LeftParen)?.span;
        let aggregates = self.comma_list(|p| {
            let start = p.here();
            let call = *p.call()?;
            let alias = p.alias_opt()?;
            Ok(PivotAggregate { call, alias, span: p.span_from(start) })
        })?;
        self.expect(K::FOR)?;
        let axes = self.ident_or_list()?;
        self.expect(K::IN)?;
        self.expect_kind(TokenKind::LeftParen)?;
        let values = if self.kind() == TokenKind::RightParen {
            Vec::new()
        } else {
            self.comma_list(|p| {
                let start = p.here();
                let values = p.values_row()?.values;
                let alias = p.alias_opt()?;
                Ok(PivotValue { values, alias, span: p.span_from(start) })
            })?
        };
        self.expect_kind(TokenKind::RightParen)?;
        self.expect_kind(TokenKind::RightParen)?;
        Ok(Pivot { aggregates, axes, values, span: self.span_from(start) })
    }

    /// `[AS] name`, or nothing.
    pub(super) fn alias_opt(&mut self) -> Result<Option<crate::sql::ast::Ident>> {
        if self.eat(K::AS) || self.at_name() { Ok(Some(self.ident_as("an alias")?)) } else { Ok(None) }
    }

    fn unpivot(&mut self) -> Result<Unpivot> {
        let start = self.here();
        let include_nulls = if self.take(K::INCLUDE) {
            Some(true)
        } else if self.take(K::EXCLUDE) {
            Some(false)
        } else {
            None
        };
        if include_nulls.is_some() {
            self.expect(K::NULLS)?;
        }
        self.expect_kind(TokenKind::LeftParen)?;
        let measures = self.ident_or_list()?;
        self.expect(K::FOR)?;
        let axes = self.ident_or_list()?;
        self.expect(K::IN)?;
        let columns = self.paren_list(|p| {
            let start = p.here();
            let columns = p.ident_or_list()?;
            let values = if p.eat(K::AS) { Some(p.values_row()?.values) } else { None };
            Ok(UnpivotColumns { columns, values, span: p.span_from(start) })
        })?;
        self.expect_kind(TokenKind::RightParen)?;
        Ok(Unpivot { include_nulls, measures, axes, columns, span: self.span_from(start) })
    }
}
