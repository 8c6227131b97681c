//! `count_char(text, c)`: q14's function, which a program brings along. How often the character is in the text.

use pelton::batch::{Column, Sel, TypeKind};
use pelton::expr::{
    Arg, BoundFunction, Call, Determinism, FunctionDoc, Infallible, Kernel, KernelFactory, ScalarFunction,
};
use pelton::{Error, Result};
use std::sync::Arc;

/// See the module's text.
pub(super) struct CountChar;

const DOC: FunctionDoc = FunctionDoc {
    names: &["COUNT_CHAR"],
    family: "string",
    signatures: &["count_char(text, c)"],
    text: "How often the one character of c is in the text.",
    examples: &[("count_char('abcabc', 'b')", "2")],
};

impl ScalarFunction for CountChar {
    fn doc(&self) -> &FunctionDoc {
        &DOC
    }

    fn bind(&self, call: &Call<'_>) -> Result<BoundFunction> {
        let texts = call.args.len() == 2 && call.args.iter().all(|a| a.ty.kind.is_character());
        if !texts {
            return Err(Error::validation("count_char takes a text and a character", call.span));
        }
        let kernel: KernelFactory = Arc::new(|| -> Box<dyn Kernel> { Box::new(Infallible(count)) });
        let args = call.args.iter().map(|a| a.ty.clone()).collect();
        let nullable = call.args.iter().any(|a| a.ty.nullable);
        let ty = TypeKind::BigInt.nullable().with_nullable(nullable);
        Ok(BoundFunction { args, ty, determinism: Determinism::Deterministic, kernel })
    }
}

fn count(args: &[Arg<'_>], sel: Sel<'_>, _rows: usize, out: &mut Column) {
    sel.for_each(|row| {
        if !(args[0].is_valid(row) && args[1].is_valid(row)) {
            out.validity.set(row, false);
            return;
        }
        let (text, c) = (args[0].bytes(row), args[1].bytes(row));
        out.buffer_mut::<i64>()[row] = match c {
            [one] => text.iter().filter(|b| *b == one).count() as i64,
            [] => 0,
            more => text.windows(more.len()).filter(|w| w == &more).count() as i64,
        };
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use pelton::Engine;

    #[test]
    fn characters_are_counted_of_any_width() {
        let engine = Engine::builder().scalar_function(Arc::new(CountChar)).build().expect("an engine");
        let script = engine
            .prepare("SELECT count_char(t, c) FROM (VALUES ('abcabc', 'b'), ('ééx', 'é'), ('x', ''), (CAST(NULL AS STRING), 'x')) AS v(t, c)")
            .expect("a query");
        let mut run = script.jobs().next().expect("a job").start_here().expect("a run");
        let mut got = vec![];
        while run.step(0).expect("a turn") != pelton::Progress::Done {}
        for batch in run.take_results() {
            let column = batch.column(0);
            got.extend(batch.sel().iter().map(|r| column.is_valid(r).then(|| column.slice::<i64>()[r])));
        }
        assert_eq!(got, [Some(2), Some(2), Some(0), None]);
    }
}
