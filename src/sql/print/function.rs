//! Calls, windows and the JSON functions.

use super::Printer;
use crate::sql::ast::{
    ArgValue, FrameBound, FrameBoundKind, FunctionArg, FunctionCall, JsonAggregate, JsonAggregateItem,
    JsonConstructor, JsonExists, JsonExistsBehavior, JsonInput, JsonItems, JsonNulls, JsonPair, JsonQuery,
    JsonQueryBehavior, JsonValue, JsonValueBehavior, JsonWrapper, NullTreatment, Over, SetQuantifier,
    TableArg, TableArgSource, WindowSpec,
};

impl Printer {
    pub(super) fn call(&mut self, call: &FunctionCall) {
        self.word_if(call.specific, "SPECIFIC");
        match call.name.as_simple() {
            Some(name) => self.keyword_or_ident(name),
            None => self.name(&call.name),
        }
        self.glue("(");
        match call.quantifier {
            Some(SetQuantifier::All) => self.word("ALL"),
            Some(SetQuantifier::Distinct) => self.word("DISTINCT"),
            None => {}
        }
        self.list(&call.args, Self::argument);
        self.order_by(&call.order_by);
        self.word_and_string("SEPARATOR", call.separator.as_ref());
        self.close();
        match call.nulls {
            Some(NullTreatment::Ignore) => self.word("IGNORE NULLS"),
            Some(NullTreatment::Respect) => self.word("RESPECT NULLS"),
            None => {}
        }
        if !call.within_distinct.is_empty() {
            self.word("WITHIN DISTINCT");
            self.paren_list(&call.within_distinct, Self::expr);
        }
        if !call.within_group.is_empty() {
            self.word("WITHIN GROUP");
            self.open();
            self.order_by(&call.within_group);
            self.close();
        }
        if let Some(filter) = &call.filter {
            self.word("FILTER");
            self.open();
            self.clause("WHERE", Some(filter));
            self.close();
        }
        match call.over.as_deref() {
            None => {}
            Some(Over::Name(name)) => {
                self.word("OVER");
                self.ident(name);
            }
            Some(Over::Window(window)) => {
                self.word("OVER");
                self.window_spec(window);
            }
        }
    }

    fn argument(&mut self, argument: &FunctionArg) {
        if let Some(name) = &argument.name {
            self.ident(name);
            self.word("=>");
        }
        match &argument.value {
            ArgValue::Expr(expr) => self.expr(expr),
            ArgValue::Unit(unit) => self.time_unit(unit),
            ArgValue::Table(table) => self.table_argument(table),
        }
    }

    fn table_argument(&mut self, table: &TableArg) {
        match &table.source {
            TableArgSource::Table(name) => {
                self.word("TABLE");
                self.name(name);
            }
            TableArgSource::Query(query) => {
                self.open();
                self.query(query);
                self.close();
            }
            TableArgSource::Expr(expr) => self.expr(expr),
        }
        if !table.partition_by.is_empty() {
            self.word("PARTITION BY");
            self.ident_or_list(&table.partition_by);
        }
        if !table.order_by.is_empty() {
            self.word("ORDER BY");
            self.paren_list(&table.order_by, Self::order_item);
        }
    }

    pub(super) fn window_spec(&mut self, window: &WindowSpec) {
        self.open();
        if let Some(base) = &window.base {
            self.ident(base);
        }
        if !window.partition_by.is_empty() {
            self.word("PARTITION BY");
            self.exprs(&window.partition_by);
        }
        self.order_by(&window.order_by);
        if let Some(frame) = &window.frame {
            self.word(if frame.rows { "ROWS" } else { "RANGE" });
            match &frame.end {
                None => self.frame_bound(&frame.start),
                Some(end) => {
                    self.word("BETWEEN");
                    self.frame_bound(&frame.start);
                    self.word("AND");
                    self.frame_bound(end);
                }
            }
        }
        match window.allow_partial {
            Some(true) => self.word("ALLOW PARTIAL"),
            Some(false) => self.word("DISALLOW PARTIAL"),
            None => {}
        }
        self.close();
    }

    fn frame_bound(&mut self, bound: &FrameBound) {
        match &bound.kind {
            FrameBoundKind::CurrentRow => self.word("CURRENT ROW"),
            FrameBoundKind::UnboundedPreceding => self.word("UNBOUNDED PRECEDING"),
            FrameBoundKind::UnboundedFollowing => self.word("UNBOUNDED FOLLOWING"),
            FrameBoundKind::Preceding(amount) => {
                self.expr(amount);
                self.word("PRECEDING");
            }
            FrameBoundKind::Following(amount) => {
                self.expr(amount);
                self.word("FOLLOWING");
            }
        }
    }

    // ---- JSON

    fn json_input(&mut self, input: &JsonInput) {
        self.expr(&input.input);
        self.tight(",");
        self.expr(&input.path);
        if !input.passing.is_empty() {
            self.word("PASSING");
            self.list(&input.passing, |p, passing| {
                p.expr(&passing.value);
                p.word("AS");
                p.ident(&passing.name);
            });
        }
    }

    fn on(&mut self, on_error: bool) {
        self.word(if on_error { "ON ERROR" } else { "ON EMPTY" });
    }

    pub(super) fn json_exists(&mut self, json: &JsonExists) {
        self.function("JSON_EXISTS");
        self.json_input(&json.input);
        if let Some(on_error) = json.on_error {
            self.word(match on_error {
                JsonExistsBehavior::True => "TRUE",
                JsonExistsBehavior::False => "FALSE",
                JsonExistsBehavior::Unknown => "UNKNOWN",
                JsonExistsBehavior::Error => "ERROR",
            });
            self.on(true);
        }
        self.close();
    }

    pub(super) fn json_value(&mut self, json: &JsonValue) {
        self.function("JSON_VALUE");
        self.json_input(&json.input);
        if let Some(ty) = &json.returning {
            self.word("RETURNING");
            self.type_name(ty);
        }
        for behavior in &json.behaviors {
            match &behavior.behavior {
                JsonValueBehavior::Error => self.word("ERROR"),
                JsonValueBehavior::Null => self.word("NULL"),
                JsonValueBehavior::Default(value) => self.clause("DEFAULT", Some(value)),
            }
            self.on(behavior.on_error);
        }
        self.close();
    }

    pub(super) fn json_query(&mut self, json: &JsonQuery) {
        self.function("JSON_QUERY");
        self.json_input(&json.input);
        if let Some(ty) = &json.returning {
            self.word("RETURNING");
            self.type_name(ty);
        }
        if let Some(wrapper) = json.wrapper {
            self.word(match wrapper {
                JsonWrapper::Without => "WITHOUT ARRAY WRAPPER",
                JsonWrapper::Conditional => "WITH CONDITIONAL ARRAY WRAPPER",
                JsonWrapper::Unconditional => "WITH UNCONDITIONAL ARRAY WRAPPER",
            });
        }
        for behavior in &json.behaviors {
            self.word(match behavior.behavior {
                JsonQueryBehavior::Error => "ERROR",
                JsonQueryBehavior::Null => "NULL",
                JsonQueryBehavior::EmptyArray => "EMPTY ARRAY",
                JsonQueryBehavior::EmptyObject => "EMPTY OBJECT",
            });
            self.on(behavior.on_error);
        }
        self.close();
    }

    pub(super) fn json_constructor(&mut self, json: &JsonConstructor) {
        match &json.items {
            JsonItems::Object(pairs) => {
                self.function("JSON_OBJECT");
                self.list(pairs, Self::json_pair);
            }
            JsonItems::Array(values) => {
                self.function("JSON_ARRAY");
                self.exprs(values);
            }
        }
        self.json_nulls(json.nulls);
        self.close();
    }

    pub(super) fn json_aggregate(&mut self, json: &JsonAggregate) {
        match &json.item {
            JsonAggregateItem::Object(pair) => {
                self.function("JSON_OBJECTAGG");
                self.json_pair(pair);
            }
            JsonAggregateItem::Array(value) => {
                self.function("JSON_ARRAYAGG");
                self.expr(value);
            }
        }
        self.order_by(&json.order_by);
        self.json_nulls(json.nulls);
        self.close();
    }

    fn json_pair(&mut self, pair: &JsonPair) {
        self.word("KEY");
        self.expr(&pair.key);
        self.word("VALUE");
        self.expr(&pair.value);
    }

    fn json_nulls(&mut self, nulls: Option<JsonNulls>) {
        match nulls {
            Some(JsonNulls::Null) => self.word("NULL ON NULL"),
            Some(JsonNulls::Absent) => self.word("ABSENT ON NULL"),
            None => {}
        }
    }
}
