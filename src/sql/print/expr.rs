//! Expressions. An expression knows how tightly it binds; a place knows how tightly what stands in it must bind; where
//! that is not enough there are parentheses.

use super::Printer;
use crate::sql::ast::{
    BinaryOp, Case, CastKind, Expr, ExprKind, InSet, IsTest, JsonEncoding, LikeKind, LiteralKind, NumberKind,
    Quantifier, TrimSide, UnaryOp,
};
use crate::sql::parser::{level, level_of};

/// What needs no parentheses anywhere, subscripts and fields excepted.
const CLOSED: u8 = level::PRIMARY + 1;
/// EXISTS takes sums as its operand, so that on the left of a sum it needs parentheses.
const EXISTS: u8 = level::SUM - 1;

/// How tightly an expression binds.
fn level_of_expr(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Unary { op: UnaryOp::Not, .. } => level::NOT,
        ExprKind::Unary { .. } => level::SIGN,
        ExprKind::Binary { op, .. } => level_of(*op),
        ExprKind::And(_) => level::AND,
        ExprKind::Or(_) => level::OR,
        ExprKind::Between(_) | ExprKind::In { .. } | ExprKind::Like(_) => level::LIKE,
        ExprKind::Quantified { .. } => level::COMPARISON,
        ExprKind::Is { .. } | ExprKind::FormatJson { .. } => level::IS,
        ExprKind::Exists(_) | ExprKind::Unique(_) => EXISTS,
        ExprKind::Subscript { .. } | ExprKind::Field { .. } | ExprKind::Method { .. } => level::PRIMARY,
        _ => CLOSED,
    }
}

impl Printer {
    pub(super) fn expr(&mut self, expr: &Expr) {
        self.expr_in(expr, level::LOWEST);
    }

    /// An expression at a place for what binds at least as tightly as `floor`.
    fn expr_in(&mut self, expr: &Expr, floor: u8) {
        if level_of_expr(expr) >= floor {
            self.bare_expr(expr);
        } else {
            self.open();
            self.bare_expr(expr);
            self.close();
        }
    }

    pub(super) fn exprs(&mut self, exprs: &[Expr]) {
        self.list(exprs, Self::expr);
    }

    fn bare_expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Name(name) => self.name(name),
            ExprKind::Star(None) => self.word("*"),
            ExprKind::Star(Some(name)) => {
                self.name(name);
                self.tight(".*");
            }
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Parameter => self.word("?"),
            ExprKind::Default => self.word("DEFAULT"),
            ExprKind::Unary { op: UnaryOp::Not, operand } => {
                self.word("NOT");
                self.expr_in(operand, level::NOT);
            }
            ExprKind::Unary { op, operand } => {
                self.word(if *op == UnaryOp::Minus { "-" } else { "+" });
                // Two minus signs without a space begin a comment.
                self.glued = !matches!(operand.kind, ExprKind::Unary { .. });
                self.expr_in(operand, level::SIGN);
            }
            ExprKind::Binary { op, left, right } => {
                self.expr_in(left, level_of(*op));
                self.word(operator(*op));
                self.expr_in(right, level_of(*op) + 1);
            }
            ExprKind::And(operands) => self.chain(operands, "AND", level::AND),
            ExprKind::Or(operands) => self.chain(operands, "OR", level::OR),
            ExprKind::Between(between) => {
                self.before_like(&between.operand);
                self.word_if(between.negated, "NOT");
                self.word("BETWEEN");
                self.word_if(between.symmetric, "SYMMETRIC");
                self.expr_in(&between.low, level::AND + 1);
                self.word("AND");
                self.expr_in(&between.high, level::LIKE + 1);
            }
            ExprKind::In { operand, negated, set } => {
                self.before_like(operand);
                self.word_if(*negated, "NOT");
                self.word("IN");
                self.in_set(set);
            }
            ExprKind::Quantified { operand, op, quantifier, set } => {
                self.expr_in(operand, level::COMPARISON);
                self.word(operator(*op));
                self.word(match quantifier {
                    Quantifier::Any => "ANY",
                    Quantifier::All => "ALL",
                });
                self.in_set(set);
            }
            ExprKind::Like(like) => {
                self.before_like(&like.operand);
                self.word_if(like.negated, "NOT");
                self.word(match like.kind {
                    LikeKind::Like => "LIKE",
                    LikeKind::ILike => "ILIKE",
                    LikeKind::RLike => "RLIKE",
                    LikeKind::SimilarTo => "SIMILAR TO",
                });
                // A LIKE in the pattern would take the ESCAPE for its own.
                self.expr_in(&like.pattern, level::LIKE + u8::from(like.escape.is_some()));
                if let Some(escape) = &like.escape {
                    self.word("ESCAPE");
                    self.expr_in(escape, level::LIKE + 1);
                }
            }
            ExprKind::Is { operand, negated, test } => {
                self.expr_in(operand, level::IS);
                self.word("IS");
                self.word_if(*negated, "NOT");
                self.word(match test {
                    IsTest::Null => "NULL",
                    IsTest::True => "TRUE",
                    IsTest::False => "FALSE",
                    IsTest::Unknown => "UNKNOWN",
                    IsTest::ASet => "A SET",
                    IsTest::Empty => "EMPTY",
                    IsTest::JsonValue => "JSON VALUE",
                    IsTest::JsonObject => "JSON OBJECT",
                    IsTest::JsonArray => "JSON ARRAY",
                    IsTest::JsonScalar => "JSON SCALAR",
                });
            }
            ExprKind::FormatJson { operand, encoding } => {
                self.expr_in(operand, level::IS);
                self.word("FORMAT JSON");
                match encoding {
                    None => {}
                    Some(JsonEncoding::Utf8) => self.word("ENCODING UTF8"),
                    Some(JsonEncoding::Utf16) => self.word("ENCODING UTF16"),
                    Some(JsonEncoding::Utf32) => self.word("ENCODING UTF32"),
                }
            }
            ExprKind::Exists(operand) => {
                self.word("EXISTS");
                self.expr_in(operand, level::SUM);
            }
            ExprKind::Unique(operand) => {
                self.word("UNIQUE");
                self.expr_in(operand, level::SUM);
            }
            ExprKind::Case(case) => self.case(case),
            ExprKind::Row { explicit, values } => {
                if *explicit || values.len() < 2 {
                    self.word("ROW");
                    self.glue("(");
                } else {
                    self.open();
                }
                self.exprs(values);
                self.close();
            }
            ExprKind::Subscript { base, index } => {
                self.expr_in(base, level::PRIMARY);
                self.glue("[");
                self.expr(index);
                self.tight("]");
            }
            ExprKind::Field { base, name } => {
                self.before_dot(base);
                self.glue(".");
                self.ident(name);
            }
            ExprKind::Method { base, call } => {
                self.before_dot(base);
                self.glue(".");
                self.call(call);
            }
            ExprKind::Subquery(query) => {
                self.open();
                self.query(query);
                self.close();
            }
            ExprKind::Cursor(operand) => {
                self.word("CURSOR");
                self.expr_in(operand, CLOSED);
            }
            ExprKind::Niladic(name) => self.keyword_or_ident(name),
            ExprKind::Function(call) => self.call(call),
            ExprKind::MatchSemantics { is_final, operand } => {
                self.word(if *is_final { "FINAL" } else { "RUNNING" });
                self.expr_in(operand, CLOSED);
            }
            ExprKind::Sequence { next, name } => {
                self.word(if *next { "NEXT VALUE FOR" } else { "CURRENT VALUE FOR" });
                self.name(name);
            }
            ExprKind::New(call) => {
                self.word("NEW");
                self.call(call);
            }
            ExprKind::Model(name) => {
                self.word("MODEL");
                self.name(name);
            }
            _ => self.special(expr),
        }
    }

    /// The left side of LIKE, IN or BETWEEN. These lean left, but for LIKE, whose pattern takes all that follows.
    fn before_like(&mut self, operand: &Expr) {
        let open = matches!(operand.kind, ExprKind::Like(_));
        self.expr_in(operand, level::LIKE + u8::from(open));
    }

    /// Functions with a syntax of their own, constructors, intervals.
    fn special(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Cast(cast) => {
                self.function(match cast.kind {
                    CastKind::Cast => "CAST",
                    CastKind::TryCast => "TRY_CAST",
                    CastKind::SafeCast => "SAFE_CAST",
                });
                self.expr(&cast.operand);
                self.word("AS");
                self.type_name(&cast.ty);
                self.close();
            }
            ExprKind::Extract { unit, operand } => {
                self.function("EXTRACT");
                self.time_unit(unit);
                self.word("FROM");
                self.expr(operand);
                self.close();
            }
            ExprKind::RoundTime { up, operand, unit } => {
                self.function(if *up { "CEIL" } else { "FLOOR" });
                self.expr(operand);
                self.word("TO");
                self.time_unit(unit);
                self.close();
            }
            ExprKind::TimestampArithmetic(arithmetic) => {
                self.function(if arithmetic.difference { "TIMESTAMPDIFF" } else { "TIMESTAMPADD" });
                self.time_unit(&arithmetic.unit);
                self.tight(",");
                self.expr(&arithmetic.first);
                self.tight(",");
                self.expr(&arithmetic.second);
                self.close();
            }
            ExprKind::Position(position) => {
                self.function("POSITION");
                self.expr_in(&position.needle, CLOSED);
                self.word("IN");
                self.expr(&position.haystack);
                self.clause("FROM", position.start.as_ref());
                self.close();
            }
            ExprKind::Substring(substring) => {
                self.function("SUBSTRING");
                self.expr(&substring.operand);
                self.word("FROM");
                self.expr(&substring.start);
                self.clause("FOR", substring.length.as_ref());
                self.close();
            }
            ExprKind::Trim(trim) => {
                self.function("TRIM");
                if let (TrimSide::Both, None) = (trim.side, &trim.chars) {
                    self.expr(&trim.operand);
                } else {
                    self.word(match trim.side {
                        TrimSide::Both => "BOTH",
                        TrimSide::Leading => "LEADING",
                        TrimSide::Trailing => "TRAILING",
                    });
                    if let Some(chars) = &trim.chars {
                        self.expr(chars);
                    }
                    self.word("FROM");
                    self.expr(&trim.operand);
                }
                self.close();
            }
            ExprKind::Overlay(overlay) => {
                self.function("OVERLAY");
                self.expr(&overlay.operand);
                self.word("PLACING");
                self.expr(&overlay.replacement);
                self.word("FROM");
                self.expr(&overlay.start);
                self.clause("FOR", overlay.length.as_ref());
                self.close();
            }
            ExprKind::Transcode { translate, operand, charset } => {
                self.function(if *translate { "TRANSLATE" } else { "CONVERT" });
                self.expr(operand);
                self.word("USING");
                self.ident(charset);
                self.close();
            }
            ExprKind::Interval { negative, amount, qualifier } => {
                self.word("INTERVAL");
                if *negative {
                    self.word("-");
                    self.glued = true;
                }
                let simple = match &amount.kind {
                    ExprKind::Name(_) => true,
                    ExprKind::Literal(literal) => matches!(literal.kind, LiteralKind::Number(_)),
                    _ => false,
                };
                if simple {
                    self.bare_expr(amount);
                } else {
                    self.open();
                    self.expr(amount);
                    self.close();
                }
                self.interval_qualifier(qualifier);
            }
            ExprKind::MinusInterval { left, right, qualifier } => {
                self.open();
                self.expr_in(left, level::SUM);
                self.word("-");
                self.expr_in(right, level::SUM + 1);
                self.close();
                self.interval_qualifier(qualifier);
            }
            ExprKind::Array(values) => self.brackets("ARRAY", values),
            ExprKind::Map(values) => self.brackets("MAP", values),
            ExprKind::Multiset(values) => self.brackets("MULTISET", values),
            ExprKind::ArrayQuery(query) => self.function_of_query("ARRAY", query),
            ExprKind::MapQuery(query) => self.function_of_query("MAP", query),
            ExprKind::MultisetQuery(query) => self.function_of_query("MULTISET", query),
            ExprKind::Period(period) => {
                self.function("PERIOD");
                self.expr(&period.0);
                self.tight(",");
                self.expr(&period.1);
                self.close();
            }
            ExprKind::JdbcFunction(function) => {
                self.word("{fn");
                self.bare_expr(function);
                self.tight("}");
            }
            ExprKind::JsonExists(json) => self.json_exists(json),
            ExprKind::JsonValue(json) => self.json_value(json),
            ExprKind::JsonQuery(json) => self.json_query(json),
            ExprKind::JsonConstructor(json) => self.json_constructor(json),
            ExprKind::JsonAggregate(json) => self.json_aggregate(json),
            _ => unreachable!("every other expression is printed by its operator"),
        }
    }

    /// A function's name and its opening parenthesis.
    pub(super) fn function(&mut self, name: &str) {
        self.word(name);
        self.glue("(");
    }

    /// ` KEYWORD expression`, if there is one.
    pub(super) fn clause(&mut self, keyword: &str, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            self.word(keyword);
            self.expr(expr);
        }
    }

    fn chain(&mut self, operands: &[Expr], keyword: &str, level: u8) {
        for (i, operand) in operands.iter().enumerate() {
            if i > 0 {
                self.word(keyword);
            }
            self.expr_in(operand, level + 1);
        }
    }

    fn in_set(&mut self, set: &InSet) {
        match set {
            InSet::List(values) => self.paren_list(values, Self::expr),
            InSet::Query(query) => {
                self.open();
                self.query(query);
                self.close();
            }
        }
    }

    fn case(&mut self, case: &Case) {
        self.word("CASE");
        if let Some(operand) = &case.operand {
            self.expr(operand);
        }
        for branch in &case.branches {
            self.word("WHEN");
            self.exprs(&branch.when);
            self.word("THEN");
            self.expr(&branch.then);
        }
        self.clause("ELSE", case.otherwise.as_ref());
        self.word("END");
    }

    fn brackets(&mut self, word: &str, values: &[Expr]) {
        self.word(word);
        self.glue("[");
        self.exprs(values);
        self.tight("]");
    }

    fn function_of_query(&mut self, word: &str, query: &crate::sql::ast::Query) {
        self.function(word);
        self.query(query);
        self.close();
    }

    /// What a field is taken of. A name or a number would swallow the dot.
    fn before_dot(&mut self, base: &Expr) {
        let swallows = match &base.kind {
            ExprKind::Name(_) | ExprKind::Model(_) | ExprKind::Sequence { .. } => true,
            ExprKind::Literal(literal) => match &literal.kind {
                LiteralKind::Number(number) => number.kind != NumberKind::DecimalString,
                _ => false,
            },
            _ => false,
        };
        if swallows {
            self.open();
            self.bare_expr(base);
            self.close();
        } else {
            self.expr_in(base, level::PRIMARY);
        }
    }
}

fn operator(op: BinaryOp) -> &'static str {
    use BinaryOp::*;
    match op {
        Plus => "+",
        Minus => "-",
        Multiply => "*",
        Divide => "/",
        Modulo => "%",
        Concat => "||",
        Eq => "=",
        NotEq => "<>",
        Lt => "<",
        LtEq => "<=",
        Gt => ">",
        GtEq => ">=",
        IsDistinctFrom => "IS DISTINCT FROM",
        IsNotDistinctFrom => "IS NOT DISTINCT FROM",
        MemberOf => "MEMBER OF",
        SubmultisetOf => "SUBMULTISET OF",
        NotSubmultisetOf => "NOT SUBMULTISET OF",
        Contains => "CONTAINS",
        Overlaps => "OVERLAPS",
        PeriodEquals => "EQUALS",
        Precedes => "PRECEDES",
        Succeeds => "SUCCEEDS",
        ImmediatelyPrecedes => "IMMEDIATELY PRECEDES",
        ImmediatelySucceeds => "IMMEDIATELY SUCCEEDS",
        MultisetUnion => "MULTISET UNION ALL",
        MultisetUnionDistinct => "MULTISET UNION DISTINCT",
        MultisetIntersect => "MULTISET INTERSECT ALL",
        MultisetIntersectDistinct => "MULTISET INTERSECT DISTINCT",
        MultisetExcept => "MULTISET EXCEPT ALL",
        MultisetExceptDistinct => "MULTISET EXCEPT DISTINCT",
    }
}
