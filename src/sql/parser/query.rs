//! Queries.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{
    CommonTable, Expr, ExprKind, GroupBy, GroupingElement, GroupingElementKind, Hint, HintArgs, HintOption,
    Literal, LiteralKind, NamedWindow, OrderItem, Query, QueryBody, QueryBodyKind, Select, SelectItem, SetOp,
    SetOperand, ValuesRow,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// Whether a query begins `ahead` tokens from here. One in parentheses does not count.
    pub(super) fn query_starts_at(&self, ahead: usize) -> bool {
        match self.kind_at(ahead) {
            TokenKind::Keyword(K::SELECT | K::VALUES | K::VALUE | K::WITH) => true,
            TokenKind::Keyword(K::TABLE) => Self::is_name(self.kind_at(ahead + 1)),
            _ => false,
        }
    }

    /// Whether what stands here goes on with a query in parentheses.
    pub(super) fn query_goes_on(&self) -> bool {
        matches!(
            self.kind(),
            TokenKind::Keyword(
                K::UNION | K::INTERSECT | K::EXCEPT | K::MINUS | K::ORDER | K::LIMIT | K::OFFSET | K::FETCH
            )
        )
    }

    /// `[WITH …] body [ORDER BY …] [LIMIT …] [OFFSET …]`, perhaps in parentheses.
    pub(super) fn query(&mut self) -> Result<Query> {
        self.nested(|p| {
            let start = p.here();
            let (recursive, with) = p.with()?;
            let first = p.query_operand()?;
            p.query_rest(recursive, with, first, start)
        })
    }

    /// Goes on behind a query in parentheses that began at `start`.
    pub(super) fn query_after(&mut self, inner: Box<Query>, start: Span) -> Result<Query> {
        let first = QueryBody { kind: QueryBodyKind::Nested(inner), span: start };
        self.nested(|p| p.query_rest(false, Vec::new(), first, start))
    }

    fn query_rest(
        &mut self,
        recursive: bool,
        with: Vec<CommonTable>,
        first: QueryBody,
        start: Span,
    ) -> Result<Query> {
        let body = self.set_operations(first, start)?;
        let order_by = if self.at(K::ORDER) { self.order_by()? } else { Vec::new() };
        let (limit, offset) = self.limit_and_offset()?;
        let bare = with.is_empty() && order_by.is_empty() && limit.is_none() && offset.is_none();
        let span = self.span_from(start);
        match body.kind {
            // Parentheses around all of a query are nothing.
            QueryBodyKind::Nested(inner) if bare => Ok(Query { span, ..*inner }),
            kind => {
                self.deepen()?;
                let body = QueryBody { kind, span: body.span };
                Ok(Query { recursive, with, body, order_by, offset, limit, span })
            }
        }
    }

    fn with(&mut self) -> Result<(bool, Vec<CommonTable>)> {
        if !self.at(K::WITH) {
            return Ok((false, Vec::new()));
        }
        self.next();
        let recursive = self.take(K::RECURSIVE);
        let tables = self.comma_list(|p| {
            let start = p.here();
            let name = p.ident_as("a name for the query")?;
            let columns = if p.at_kind(TokenKind::LeftParen) { p.paren_idents()? } else { Vec::new() };
            p.expect(K::AS)?;
            let query = p.parens(Self::query)?;
            Ok(CommonTable { name, columns, query, span: p.span_from(start) })
        })?;
        Ok((recursive, tables))
    }

    /// `UNION`, `EXCEPT` and, tighter, `INTERSECT` behind their first operand.
    fn set_operations(&mut self, first: QueryBody, start: Span) -> Result<QueryBody> {
        let first = self.intersections(first, start)?;
        let mut rest = Vec::new();
        loop {
            let at = self.here();
            let op = if self.eat(K::UNION) {
                SetOp::Union
            } else if self.eat(K::EXCEPT) {
                SetOp::Except
            } else if self.is(K::MINUS) {
                return Err(self.unexpected());
            } else {
                break;
            };
            let all = self.set_all();
            let begin = self.here();
            let operand = self.query_operand()?;
            let body = self.intersections(operand, begin)?;
            rest.push(SetOperand { op, all, body, span: self.span_from(at) });
        }
        self.set_operation(first, rest, start)
    }

    fn intersections(&mut self, first: QueryBody, start: Span) -> Result<QueryBody> {
        let mut rest = Vec::new();
        loop {
            let at = self.here();
            if !self.eat(K::INTERSECT) {
                return self.set_operation(first, rest, start);
            }
            let all = self.set_all();
            let body = self.query_operand()?;
            rest.push(SetOperand { op: SetOp::Intersect, all, body, span: self.span_from(at) });
        }
    }

    fn set_operation(&mut self, first: QueryBody, rest: Vec<SetOperand>, start: Span) -> Result<QueryBody> {
        if rest.is_empty() {
            return Ok(first);
        }
        self.deepen()?;
        let kind = QueryBodyKind::SetOperation { first: Box::new(first), rest };
        Ok(QueryBody { kind, span: self.span_from(start) })
    }

    fn set_all(&mut self) -> bool {
        let all = self.take(K::ALL);
        if !all {
            self.take(K::DISTINCT);
        }
        all
    }

    /// SELECT, VALUES, TABLE t or a query in parentheses.
    fn query_operand(&mut self) -> Result<QueryBody> {
        let start = self.here();
        let kind = if self.at(K::SELECT) {
            QueryBodyKind::Select(Box::new(self.select()?))
        } else if self.at(K::VALUES) || self.is(K::VALUE) {
            self.next();
            QueryBodyKind::Values(self.comma_list(Self::values_row)?)
        } else if self.is(K::TABLE) {
            self.next();
            QueryBodyKind::Table(self.object_name_as("a table name")?)
        } else if self.kind() == TokenKind::LeftParen {
            QueryBodyKind::Nested(Box::new(self.parens(Self::query)?))
        } else {
            return Err(self.expected_here("a query"));
        };
        Ok(QueryBody { kind, span: self.span_from(start) })
    }

    // ---- SELECT

    fn select(&mut self) -> Result<Select> {
        let start = self.expect(K::SELECT)?.span;
        let hints = self.hints()?;
        let stream = self.take(K::STREAM);
        let quantifier = self.quantifier();
        let items = self.comma_list(Self::select_item)?;
        let mut select = Select {
            hints,
            stream,
            quantifier,
            items,
            from: None,
            filter: None,
            group_by: None,
            having: None,
            windows: Vec::new(),
            qualify: None,
            span: start,
        };
        if self.eat(K::FROM) {
            select.from = Some(self.nested(Self::from)?);
            select.filter = if self.eat(K::WHERE) { Some(self.expr()?) } else { None };
            select.group_by = if self.at(K::GROUP) { Some(self.group_by()?) } else { None };
            select.having = if self.eat(K::HAVING) { Some(self.expr()?) } else { None };
            select.windows =
                if self.eat(K::WINDOW) { self.comma_list(Self::named_window)? } else { Vec::new() };
            select.qualify = if self.eat(K::QUALIFY) { Some(self.expr()?) } else { None };
        }
        select.span = self.span_from(start);
        Ok(select)
    }

    fn select_item(&mut self) -> Result<SelectItem> {
        let start = self.here();
        let expr = if self.kind() == TokenKind::Star {
            self.next();
            Expr::new(ExprKind::Star(None), start)
        } else {
            self.expr()?
        };
        let alias = if self.eat(K::AS) {
            Some(self.ident_as("an alias")?)
        } else if self.at_name() {
            Some(self.ident()?)
        } else if self.kind() == TokenKind::String {
            self.note("an alias");
            return Err(self.unexpected());
        } else {
            None
        };
        Ok(SelectItem { expr, alias, span: self.span_from(start) })
    }

    fn group_by(&mut self) -> Result<GroupBy> {
        let start = self.expect(K::GROUP)?.span;
        self.expect(K::BY)?;
        let distinct = self.take(K::DISTINCT);
        if !distinct {
            self.take(K::ALL);
        }
        let elements = self.comma_list(Self::grouping_element)?;
        Ok(GroupBy { distinct, elements, span: self.span_from(start) })
    }

    fn grouping_element(&mut self) -> Result<GroupingElement> {
        let start = self.here();
        let kind = if self.is(K::GROUPING) && self.kind_at(1) == TokenKind::Keyword(K::SETS) {
            self.at += 2;
            let elements = self.nested(|p| p.paren_list(Self::grouping_element))?;
            GroupingElementKind::GroupingSets(elements)
        } else if self.take(K::ROLLUP) {
            GroupingElementKind::Rollup(self.paren_list(Self::expr)?)
        } else if self.take(K::CUBE) {
            GroupingElementKind::Cube(self.paren_list(Self::expr)?)
        } else if self.kind() == TokenKind::LeftParen && self.kind_at(1) == TokenKind::RightParen {
            self.at += 2;
            GroupingElementKind::Empty
        } else {
            GroupingElementKind::Expr(self.expr()?)
        };
        Ok(GroupingElement { kind, span: self.span_from(start) })
    }

    fn named_window(&mut self) -> Result<NamedWindow> {
        let start = self.here();
        let name = self.ident_as("a window name")?;
        self.expect(K::AS)?;
        let spec = self.window_spec()?;
        Ok(NamedWindow { name, spec, span: self.span_from(start) })
    }

    // ---- ORDER BY, LIMIT

    /// `ORDER BY a, b`.
    pub(super) fn order_by(&mut self) -> Result<Vec<OrderItem>> {
        self.expect(K::ORDER)?;
        self.expect(K::BY)?;
        self.comma_list(Self::order_item)
    }

    /// `x DESC NULLS LAST`.
    pub(super) fn order_item(&mut self) -> Result<OrderItem> {
        let start = self.here();
        let expr = self.expr()?;
        let descending = self.eat(K::DESC);
        if !descending {
            self.eat(K::ASC);
        }
        let nulls_first = if self.eat_all(&[K::NULLS, K::FIRST]) {
            Some(true)
        } else if self.eat_all(&[K::NULLS, K::LAST]) {
            Some(false)
        } else {
            None
        };
        Ok(OrderItem { expr, descending, nulls_first, span: self.span_from(start) })
    }

    /// `LIMIT n OFFSET m`, `OFFSET m ROWS FETCH FIRST n ROWS ONLY`: limit and offset.
    fn limit_and_offset(&mut self) -> Result<(Option<Expr>, Option<Expr>)> {
        if self.eat(K::LIMIT) {
            let limit = if self.eat(K::ALL) { None } else { Some(self.count()?) };
            if self.kind() == TokenKind::Comma && limit.is_some() {
                return Err(self.unexpected().hint("write LIMIT count OFFSET start"));
            }
            let offset = if self.at(K::OFFSET) { Some(self.offset()?) } else { None };
            return Ok((limit, offset));
        }
        let offset = if self.at(K::OFFSET) { Some(self.offset()?) } else { None };
        if offset.is_some() && self.is(K::LIMIT) {
            return Err(self.unexpected().hint("write LIMIT before OFFSET"));
        }
        if !self.eat(K::FETCH) {
            return Ok((None, offset));
        }
        if !self.eat(K::FIRST) {
            self.expect(K::NEXT)?;
        }
        let limit = self.count()?;
        if !self.eat(K::ROW) {
            self.expect(K::ROWS)?;
        }
        self.expect(K::ONLY)?;
        Ok((Some(limit), offset))
    }

    fn offset(&mut self) -> Result<Expr> {
        self.expect(K::OFFSET)?;
        let offset = self.count()?;
        if !self.take(K::ROW) {
            self.take(K::ROWS);
        }
        Ok(offset)
    }

    /// A number without sign, or a parameter.
    fn count(&mut self) -> Result<Expr> {
        let start = self.here();
        if self.kind() == TokenKind::Question {
            self.next();
            return Ok(Expr::new(ExprKind::Parameter, start));
        }
        let kind = LiteralKind::Number(self.number()?);
        let span = self.span_from(start);
        Ok(Expr::new(ExprKind::Literal(Literal { kind, span }), span))
    }

    // ---- VALUES

    /// `(1, 2)`, `ROW(1, 2)`, `(ROW(1, 2))` or one bare value.
    pub(super) fn values_row(&mut self) -> Result<ValuesRow> {
        let start = self.here();
        let row_ahead = |p: &Self, ahead: usize| {
            p.kind_at(ahead) == TokenKind::Keyword(K::ROW) && p.kind_at(ahead + 1) == TokenKind::LeftParen
        };
        let values = if self.kind() == TokenKind::LeftParen && row_ahead(self, 1) {
            self.at += 2;
            let values = self.nested(Self::row_values)?;
            self.expect_kind(TokenKind::RightParen)?;
            values
        } else if row_ahead(self, 0) {
            self.next();
            self.nested(Self::row_values)?
        } else if self.kind() == TokenKind::LeftParen {
            self.nested(Self::row_values)?
        } else {
            vec![self.expr()?]
        };
        Ok(ValuesRow { values, span: self.span_from(start) })
    }

    /// `(1, DEFAULT, (SELECT 2))`.
    fn row_values(&mut self) -> Result<Vec<Expr>> {
        self.parens(|p| {
            let mut first = true;
            p.comma_list(|p| {
                if p.is(K::DEFAULT) {
                    let span = p.next().span;
                    first = false;
                    return Ok(Expr::new(ExprKind::Default, span));
                }
                if std::mem::take(&mut first) { p.query_or_expr() } else { p.expr() }
            })
        })
    }

    // ---- hints

    /// `/*+ A, B('k' = 'v') */`, or nothing.
    pub(super) fn hints(&mut self) -> Result<Vec<Hint>> {
        if self.kind() != TokenKind::HintStart {
            return Ok(Vec::new());
        }
        self.next();
        let hints = self.comma_list(Self::hint)?;
        self.expect_kind(TokenKind::HintEnd)?;
        Ok(hints)
    }

    fn hint(&mut self) -> Result<Hint> {
        let start = self.here();
        let name = self.ident_as("a hint")?;
        let args = if self.eat_kind(TokenKind::LeftParen) {
            let args = match (self.kind(), self.kind_at(1)) {
                (TokenKind::RightParen, _) => HintArgs::None,
                (_, TokenKind::Eq) => HintArgs::Options(self.comma_list(Self::hint_option)?),
                (kind, _) if Self::is_name(kind) => HintArgs::Names(self.comma_list(Self::ident)?),
                _ => HintArgs::Values(self.comma_list(Self::hint_value)?),
            };
            self.expect_kind(TokenKind::RightParen)?;
            args
        } else {
            HintArgs::None
        };
        Ok(Hint { name, args, span: self.span_from(start) })
    }

    fn hint_option(&mut self) -> Result<HintOption> {
        let start = self.here();
        let bare_key = self.at_name();
        let key = if bare_key { self.ident()?.name } else { self.string()? };
        self.expect_kind(TokenKind::Eq)?;
        let value = self.string()?;
        Ok(HintOption { key, bare_key, value, span: self.span_from(start) })
    }

    fn hint_value(&mut self) -> Result<Expr> {
        let value = self.signed_literal()?;
        let number_or_string = match &value.kind {
            ExprKind::Literal(literal) => {
                matches!(literal.kind, LiteralKind::Number(_) | LiteralKind::String(_))
            }
            _ => true,
        };
        if number_or_string {
            Ok(value)
        } else {
            Err(Error::syntax("a hint takes names, numbers and strings", value.span))
        }
    }
}
