//! From syntax tree to logical plan: names, types, implicit casts, and every rule by which Flink's validator refuses a statement.
//!
//! One [`Binder`] binds one statement. A file a construct: [`query`] SELECT and what surrounds it, [`from`] tables, [`scan`] how a
//! declared table is read, [`window`] window table functions, [`aggregate`] grouping, [`match_recognize`] and [`pattern`] patterns of rows, [`set_operation`] UNION and its kin,
//! [`expr`] and [`call`] expressions, [`subquery`] queries in them, [`insert`] sinks, [`ddl`] definitions. What Flink has and Pelton has not is refused
//! where it is met, by name.
//!
//! **Depth.** Syntax trees are at most [`MAX_DEPTH`](crate::sql::MAX_DEPTH) levels deep. Views and CTEs can stack many such trees:
//! a relation more than [`MAX_RELATIONS_DEEP`] operations deep, or of more than [`MAX_RELATIONS`] operations, is refused, so that
//! the recursions over relations fit the 2 MiB stack of a test thread.

mod aggregate;
mod alter;
mod call;
mod coerce;
mod correlate;
mod count_window;
pub(crate) mod ddl;
mod expr;
mod from;
mod group_window;
mod grouping;
mod in_subquery;
mod insert;
mod join;
mod json;
mod lateral;
mod literal;
mod match_recognize;
mod names;
mod over;
mod pattern;
mod query;
mod scan;
mod scope;
mod set_operation;
mod subquery;
mod types;
mod unnest;
mod window;

pub(crate) use coerce::try_fold;

use crate::error::{Error, Finding, Result, Span};
use crate::expr::{Registry, Session};
use crate::plan::catalog::{Catalogs, ObjectPath, SqlText};
use crate::plan::connector::Connectors;
use crate::plan::logical::Rel;
use crate::plan::settings::Settings;
use std::cell::RefCell;
use std::sync::Arc;

/// The most operations on one path of a relation.
pub(crate) const MAX_RELATIONS_DEEP: usize = 400;
/// The most operations of a statement: CTEs and views read several times count several times.
pub(crate) const MAX_RELATIONS: usize = 20_000;

/// What a session met that is Pelton's own and not Flink's.
#[derive(Debug, Default)]
pub(crate) struct Extensions(RefCell<Vec<Finding>>);

impl Extensions {
    /// Notes something, once for each place.
    pub(crate) fn note(&self, finding: Finding) {
        let mut all = self.0.borrow_mut();
        if !all.contains(&finding) {
            all.push(finding);
        }
    }

    /// All of them, by place.
    pub(crate) fn sorted(&self) -> Vec<Finding> {
        let mut all = self.0.borrow().clone();
        all.sort_by_key(|f| f.span.start);
        all
    }
}

/// What binding a statement needs to know.
pub(crate) struct Binder<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) connectors: &'a dyn Connectors,
    pub(crate) catalogs: &'a Catalogs,
    pub(crate) settings: &'a Settings,
    /// What of the script Flink would not take.
    pub(crate) extensions: &'a Extensions,
    /// For functions: zone and time of planning.
    pub(crate) session: Session,
    /// The text that spans refer to.
    pub(crate) script: Arc<str>,
    /// Catalog and database in which names are looked up.
    pub(crate) context: (String, String),
    /// Common table expressions in sight, innermost last.
    ctes: Vec<(String, Rel)>,
    /// Views being expanded, outermost first.
    views: Vec<ObjectPath>,
    /// Operations made so far.
    relations: usize,
    /// The window of the GROUP BY of the SELECT at hand.
    group_window: Option<group_window::GroupWindow>,
    /// Its grouping sets.
    grouping: grouping::Grouping,
    /// Subqueries in the expressions at hand; `None`: they may not stand there.
    subqueries: Option<Vec<subquery::Subquery>>,
    /// The query around the subquery at hand.
    outer: Option<subquery::Outer>,
    /// How the subquery that was bound last depends on it.
    correlated: Option<subquery::Correlated>,
    /// What names mean in the condition or measure of MATCH_RECOGNIZE at hand.
    pattern: Option<pattern::PatternScope>,
}

impl<'a> Binder<'a> {
    /// A binder for a statement of `script`.
    pub(crate) fn new(
        registry: &'a Registry,
        connectors: &'a dyn Connectors,
        catalogs: &'a Catalogs,
        settings: &'a Settings,
        extensions: &'a Extensions,
        start_us: i64,
        script: Arc<str>,
    ) -> Self {
        let (catalog, database) = catalogs.current();
        Self {
            registry,
            connectors,
            catalogs,
            settings,
            extensions,
            session: Session { time_zone: settings.time_zone(), start_us, database: database.to_owned() },
            script,
            context: (catalog.to_owned(), database.to_owned()),
            ctes: vec![],
            views: vec![],
            relations: 0,
            group_window: None,
            grouping: grouping::Grouping::default(),
            subqueries: None,
            outer: None,
            correlated: None,
            pattern: None,
        }
    }

    /// The text under `span` on one line, for names and messages.
    pub(crate) fn text(&self, span: Span) -> String {
        span.text(&self.script).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Binds something written elsewhere (a view, a computed column): with its own text, in its own context, and with errors that
    /// say where they come from. Spans stay when the text is that of the script at hand, else they become `at`.
    fn elsewhere<T>(
        &mut self,
        text: &SqlText,
        context: Option<&(String, String)>,
        what: &str,
        at: Span,
        bind: impl FnOnce(&mut Self, &str) -> Result<T>,
    ) -> Result<(T, bool)> {
        let foreign = !Arc::ptr_eq(&text.text, &self.script);
        let script = std::mem::replace(&mut self.script, text.text.clone());
        let ctes = std::mem::take(&mut self.ctes);
        let old_context = context.map(|c| std::mem::replace(&mut self.context, c.clone()));
        // Blanks instead of what stands before it: spans then are those of the whole text.
        let padded = format!("{}{}", " ".repeat(text.span.start as usize), text.as_str());
        let result = bind(self, &padded);
        self.script = script;
        self.ctes = ctes;
        if let Some(old) = old_context {
            self.context = old;
        }
        match result {
            Ok(value) => Ok((value, foreign)),
            Err(e) => {
                let mut told = Error::new(e.kind(), format!("{} (in {what})", e.message()));
                if let Some(advice) = e.advice() {
                    told = told.hint(advice);
                }
                let span = e.span().filter(|_| !foreign).unwrap_or(at);
                Err(told.at(span))
            }
        }
    }

    /// Checks the limits stated in the module's text.
    fn check_size(&mut self, rel: &Rel, span: Span) -> Result<()> {
        fn measure(rel: &Rel) -> (usize, usize) {
            rel.inputs()
                .into_iter()
                .map(measure)
                .fold((1, 1), |(deep, many), (d, m)| (deep.max(d + 1), many + m))
        }
        let (deep, many) = measure(rel);
        if deep > MAX_RELATIONS_DEEP {
            return Err(Error::planning(
                format!("the query stacks more than {MAX_RELATIONS_DEEP} operations"),
                span,
            ));
        }
        if many + self.relations > MAX_RELATIONS {
            return Err(Error::planning(
                format!("the query expands to more than {MAX_RELATIONS} operations"),
                span,
            )
            .hint("views and common table expressions count at every place where they are read"));
        }
        Ok(())
    }
}
