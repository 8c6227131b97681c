//! Function calls: arguments and what may follow them.

use super::Parser;
use crate::error::{Error, Result, Span};
use crate::sql::ast::{
    ArgValue, Expr, ExprKind, FrameBound, FrameBoundKind, FunctionArg, FunctionCall, NullTreatment,
    ObjectName, Over, SetQuantifier, TableArg, TableArgSource, WindowFrame, WindowSpec,
};
use crate::sql::keyword::Keyword as K;
use crate::sql::token::TokenKind;

impl Parser<'_> {
    /// A call without arguments so far.
    pub(super) fn new_call(&self, name: ObjectName, start: Span) -> FunctionCall {
        FunctionCall {
            name,
            specific: false,
            quantifier: None,
            args: Vec::new(),
            order_by: Vec::new(),
            separator: None,
            nulls: None,
            within_distinct: Vec::new(),
            within_group: Vec::new(),
            filter: None,
            over: None,
            span: start,
        }
    }

    /// A call as an expression.
    pub(super) fn call_expr(&mut self) -> Result<Expr> {
        let start = self.here();
        let call = self.call()?;
        self.node(ExprKind::Function(call), start)
    }

    /// `f(args) IGNORE NULLS WITHIN GROUP (…) FILTER (…) OVER …`.
    pub(super) fn call(&mut self) -> Result<Box<FunctionCall>> {
        let mut call = self.call_name()?;
        self.call_args(&mut call)?;
        self.after_call(&mut call)?;
        call.span = self.span_from(call.span);
        Ok(call)
    }

    /// `[SPECIFIC] f`.
    fn call_name(&mut self) -> Result<Box<FunctionCall>> {
        let start = self.here();
        let specific = self.take(K::SPECIFIC);
        let name = match self.kind() {
            TokenKind::Keyword(keyword) if keyword.is_function() || keyword == K::ARRAY_CONCAT_AGG => {
                let token = self.next();
                self.ident_of(token)?.into()
            }
            _ => self.object_name_as("a function name")?,
        };
        let mut call = Box::new(self.new_call(name, start));
        call.specific = specific;
        Ok(call)
    }

    /// `f(args)` of procedures, table functions and constructors: nothing before and after the arguments.
    pub(super) fn routine_call(&mut self) -> Result<FunctionCall> {
        let start = self.here();
        let specific = self.take(K::SPECIFIC);
        let name = self.object_name_as("a function name")?;
        let mut call = self.new_call(name, start);
        call.specific = specific;
        self.routine_args(&mut call)?;
        Ok(call)
    }

    /// `(args)` of a routine, whose name is parsed.
    pub(super) fn routine_args(&mut self, call: &mut FunctionCall) -> Result<()> {
        self.expect_kind(TokenKind::LeftParen)?;
        if self.kind() != TokenKind::RightParen {
            let mut first = true;
            call.args = self.comma_list(|p| p.argument(std::mem::take(&mut first)))?;
        }
        self.expect_kind(TokenKind::RightParen)?;
        call.span = self.span_from(call.span);
        Ok(())
    }

    /// `(DISTINCT args ORDER BY …)`, `(*)`, `()`.
    pub(super) fn call_args(&mut self, call: &mut FunctionCall) -> Result<()> {
        let collects = self.collects(call);
        self.expect_kind(TokenKind::LeftParen)?;
        if self.eat_kind(TokenKind::RightParen) {
            return Ok(());
        }
        if self.kind() == TokenKind::Star {
            let span = self.next().span;
            let star = ArgValue::Expr(Expr::new(ExprKind::Star(None), span));
            call.args.push(FunctionArg { name: None, value: star, span });
            self.expect_kind(TokenKind::RightParen)?;
            return Ok(());
        }
        call.quantifier = self.quantifier();
        let mut first = true;
        call.args = self.comma_list(|p| {
            // In ARRAY_AGG an order behind the first argument belongs to the call.
            p.argument(std::mem::take(&mut first) && !collects)
        })?;
        if collects {
            call.nulls = self.null_treatment();
            if self.at(K::ORDER) {
                call.order_by = self.order_by()?;
            }
            if self.take(K::SEPARATOR) {
                call.separator = Some(self.string()?);
            }
        }
        if !collects && self.is(K::ORDER) {
            let error = self.unexpected();
            return Err(
                error.hint("the order of an aggregate stands behind it: f(x) WITHIN GROUP (ORDER BY y)")
            );
        }
        self.expect_kind(TokenKind::RightParen)?;
        Ok(())
    }

    /// ARRAY_AGG and ARRAY_CONCAT_AGG may have an order inside their parentheses.
    fn collects(&self, call: &FunctionCall) -> bool {
        let is = |name: &str| {
            call.name.as_simple().is_some_and(|n| !n.quoted && n.name.eq_ignore_ascii_case(name))
        };
        is("ARRAY_AGG") || is("ARRAY_CONCAT_AGG")
    }

    /// DISTINCT or ALL.
    pub(super) fn quantifier(&mut self) -> Option<SetQuantifier> {
        if self.take(K::DISTINCT) {
            Some(SetQuantifier::Distinct)
        } else if self.take(K::ALL) {
            Some(SetQuantifier::All)
        } else {
            None
        }
    }

    /// One argument. The first may be a query without parentheses of its own, and may be partitioned.
    fn argument(&mut self, first: bool) -> Result<FunctionArg> {
        let start = self.here();
        let mut name = None;
        if self.at_name() && self.kind_at(1) == TokenKind::Arrow {
            name = Some(self.ident()?);
            self.next();
        }
        let value = self.argument_value(first)?;
        Ok(FunctionArg { name, value, span: self.span_from(start) })
    }

    fn argument_value(&mut self, first: bool) -> Result<ArgValue> {
        if self.is(K::DEFAULT) {
            let span = self.next().span;
            return Ok(ArgValue::Expr(self.node(ExprKind::Default, span)?));
        }
        if self.is(K::TABLE) {
            return self.nested(Self::table_argument);
        }
        let expr = if first { self.query_or_expr()? } else { self.expr()? };
        if first && self.is(K::PARTITION) { self.partitioned(expr) } else { Ok(ArgValue::Expr(expr)) }
    }

    /// `(query) PARTITION BY …`.
    fn partitioned(&mut self, expr: Expr) -> Result<ArgValue> {
        let start = expr.span;
        let source = match expr.kind {
            ExprKind::Subquery(query) => TableArgSource::Query(query),
            kind => TableArgSource::Expr(Box::new(Expr::new(kind, start))),
        };
        self.table_arg_after(source, start)
    }

    /// `TABLE t PARTITION BY … ORDER BY …`; `TABLE t UNION …` is a query.
    fn table_argument(&mut self) -> Result<ArgValue> {
        let start = self.expect(K::TABLE)?.span;
        let name = self.object_name_as("a table name")?;
        self.table_arg_after(TableArgSource::Table(name), start)
    }

    fn table_arg_after(&mut self, source: TableArgSource, start: Span) -> Result<ArgValue> {
        let partition_by =
            if self.eat_all(&[K::PARTITION, K::BY]) { self.ident_or_list()? } else { Vec::new() };
        let mut order_by = Vec::new();
        if self.eat_all(&[K::ORDER, K::BY]) {
            // A list needs parentheses, because a comma begins the next argument. `(a, b)` is read as that list and not
            // as a row.
            if self.kind() == TokenKind::LeftParen && self.ordered_list_ahead() {
                order_by = self.paren_list(Self::order_item)?;
            } else {
                order_by.push(self.order_item()?);
            }
        }
        Ok(ArgValue::Table(Box::new(TableArg {
            source,
            partition_by,
            order_by,
            span: self.span_from(start),
        })))
    }

    /// Whether the parentheses that begin here end the argument, so that they hold a list of order items.
    fn ordered_list_ahead(&self) -> bool {
        let mut depth = 0usize;
        let mut ahead = 0;
        loop {
            match self.kind_at(ahead) {
                TokenKind::LeftParen => depth += 1,
                TokenKind::RightParen => depth -= 1,
                TokenKind::End => return false,
                _ => {}
            }
            ahead += 1;
            if depth == 0 {
                return matches!(
                    self.kind_at(ahead),
                    TokenKind::Comma
                        | TokenKind::RightParen
                        | TokenKind::Keyword(K::ORDER | K::IGNORE | K::RESPECT | K::SEPARATOR)
                );
            }
        }
    }

    fn null_treatment(&mut self) -> Option<NullTreatment> {
        let treatment = match self.kind() {
            TokenKind::Keyword(K::IGNORE) => NullTreatment::Ignore,
            TokenKind::Keyword(K::RESPECT) => NullTreatment::Respect,
            _ => return None,
        };
        if self.kind_at(1) != TokenKind::Keyword(K::NULLS) {
            return None; // an alias
        }
        self.at += 2;
        Some(treatment)
    }

    /// What may follow the parentheses of a call.
    fn after_call(&mut self, call: &mut FunctionCall) -> Result<()> {
        if let Some(nulls) = self.null_treatment() {
            if call.nulls.is_some() {
                return Err(Error::syntax("NULLS is treated twice", self.span_from(call.span)));
            }
            call.nulls = Some(nulls);
        }
        if self.is(K::WITHIN) && self.kind_at(1) == TokenKind::Keyword(K::DISTINCT) {
            self.at += 2;
            call.within_distinct = self.paren_list(Self::expr)?;
        }
        if self.take(K::WITHIN) {
            self.expect(K::GROUP)?;
            call.within_group = self.parens(Self::order_by)?;
        }
        if self.take(K::FILTER) {
            let filter = self.parens(|p| {
                p.expect(K::WHERE)?;
                p.expr()
            })?;
            call.filter = Some(Box::new(filter));
        }
        self.over_opt(call)
    }

    /// `OVER name`, `OVER (…)`.
    pub(super) fn over_opt(&mut self, call: &mut FunctionCall) -> Result<()> {
        if !self.take(K::OVER) {
            return Ok(());
        }
        let over = if self.at_kind(TokenKind::LeftParen) {
            Over::Window(self.nested(Self::window_spec)?)
        } else {
            Over::Name(self.ident_as("a window name")?)
        };
        call.over = Some(Box::new(over));
        Ok(())
    }

    /// `(base PARTITION BY … ORDER BY … ROWS …)`.
    pub(super) fn window_spec(&mut self) -> Result<WindowSpec> {
        let start = self.expect_kind(TokenKind::LeftParen)?.span;
        let base = if self.at_name() { Some(self.ident()?) } else { None };
        let partition_by =
            if self.eat_all(&[K::PARTITION, K::BY]) { self.comma_list(Self::expr)? } else { Vec::new() };
        let order_by = if self.at(K::ORDER) { self.order_by()? } else { Vec::new() };
        let frame = if self.at(K::ROWS) || self.at(K::RANGE) { Some(self.window_frame()?) } else { None };
        let allow_partial = match self.kind() {
            TokenKind::Keyword(K::ALLOW) => Some(true),
            TokenKind::Keyword(K::DISALLOW) => Some(false),
            _ => None,
        };
        if allow_partial.is_some() {
            self.next();
            self.expect(K::PARTIAL)?;
        }
        self.expect_kind(TokenKind::RightParen)?;
        Ok(WindowSpec { base, partition_by, order_by, frame, allow_partial, span: self.span_from(start) })
    }

    fn window_frame(&mut self) -> Result<WindowFrame> {
        let start = self.here();
        let rows = self.is(K::ROWS);
        self.next();
        let (from, end) = if self.eat(K::BETWEEN) {
            let from = self.frame_bound()?;
            self.expect(K::AND)?;
            (from, Some(self.frame_bound()?))
        } else {
            (self.frame_bound()?, None)
        };
        Ok(WindowFrame { rows, start: from, end, span: self.span_from(start) })
    }

    fn frame_bound(&mut self) -> Result<FrameBound> {
        let start = self.here();
        let kind = if self.eat_all(&[K::CURRENT, K::ROW]) {
            FrameBoundKind::CurrentRow
        } else if self.eat_all(&[K::UNBOUNDED, K::PRECEDING]) {
            FrameBoundKind::UnboundedPreceding
        } else if self.eat_all(&[K::UNBOUNDED, K::FOLLOWING]) {
            FrameBoundKind::UnboundedFollowing
        } else {
            let amount = Box::new(self.expr()?);
            if self.eat(K::PRECEDING) {
                FrameBoundKind::Preceding(amount)
            } else {
                self.expect(K::FOLLOWING)?;
                FrameBoundKind::Following(amount)
            }
        };
        Ok(FrameBound { kind, span: self.span_from(start) })
    }
}
