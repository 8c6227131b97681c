//! The automaton of a pattern: what may follow the rows matched so far.
//!
//! It is built as Flink builds its own, from the last variable to the first. A state stands before the row of a variable; its edges either
//! **take** the row at hand or **proceed** without it. Rows of a pattern follow each other, so nothing is ever ignored. A greedy variable
//! forbids whatever stands behind it the rows that it would take itself: its condition, negated, is on all edges of the state behind.
//!
//! ```text
//!   A+ B   start ─A─→ loop ─B─→ end       loop: take A → loop; proceed → before B
//!                     └A┘                 before B: take B, unless A → end
//! ```

use crate::plan::PatternVariable;

/// An edge between states.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    /// The variable that takes the row; none: it proceeds.
    pub(super) take: Option<usize>,
    /// Where it leads.
    pub(super) target: usize,
    /// Variables whose condition must not be true of the row.
    pub(super) unless: Vec<usize>,
}

/// See the module's text.
pub(super) struct Nfa {
    /// The edges of each state.
    pub(super) states: Vec<Vec<Edge>>,
    /// Where every match begins.
    pub(super) start: usize,
}

/// The state in which a match is complete. It has no edges.
pub(super) const END: usize = 0;

impl Nfa {
    pub(super) fn new<A>(variables: &[PatternVariable<A>]) -> Self {
        let mut nfa = Self { states: vec![vec![]], start: END };
        for (v, variable) in variables.iter().enumerate().rev() {
            nfa.start = nfa.before(v, variable, nfa.start);
        }
        nfa
    }

    /// The state before variable `v`, where `sink` stands behind it.
    fn before<A>(&mut self, v: usize, variable: &PatternVariable<A>, sink: usize) -> usize {
        let least = variable.min.max(1);
        let mut next = sink;
        match variable.max {
            None => {
                next = self.state(vec![proceed(sink), take(v, self.states.len())]);
                if variable.greedy {
                    self.forbid(sink, v);
                }
            }
            Some(most) => {
                if variable.greedy && least != most {
                    self.forbid(sink, v);
                }
                for _ in least..most {
                    next = self.state(vec![take(v, next), proceed(sink)]);
                }
            }
        }
        for _ in 1..least {
            next = self.state(vec![take(v, next)]);
        }
        let mut first = vec![take(v, next)];
        if variable.is_optional() {
            first.push(proceed(sink));
        }
        self.state(first)
    }

    fn state(&mut self, edges: Vec<Edge>) -> usize {
        self.states.push(edges);
        self.states.len() - 1
    }

    /// What the greedy variable takes, nothing behind it does.
    fn forbid(&mut self, behind: usize, v: usize) {
        self.states[behind].iter_mut().for_each(|e| e.unless.push(v));
    }
}

fn take(v: usize, target: usize) -> Edge {
    Edge { take: Some(v), target, unless: vec![] }
}

fn proceed(target: usize) -> Edge {
    Edge { take: None, target, unless: vec![] }
}
