//! JSON paths, read: Flink's `lax $.a[0]`, `strict $..b[?(@.c > 1)]`.
//!
//! The language is that of Jayway's JsonPath, which Flink uses, not the SQL standard's: no prefix means strict, a path with a wildcard, a
//! scan, a slice, several subscripts or a filter is *indefinite* and gives an array. What of it is left out (`docs/reference/differences.md`)
//! is refused by name. [`walk`](super::walk) evaluates paths.

use regex::Regex;

/// A path with its mode.
#[derive(Clone, Debug)]
pub struct PathSpec {
    /// `lax`: nothing found is empty. Otherwise it is an error.
    pub lax: bool,
    /// The path, or what is wrong with it: an error of every row.
    pub path: Result<Path, String>,
}

/// Steps from the root.
#[derive(Clone, Debug, Default)]
pub struct Path {
    /// In order.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// `.a`, `['a']`
    Name(String),
    /// `['a', 'b']`: at the end an object of both, else one after the other.
    Names(Vec<String>),
    /// `[1]`, `[0, 2]`
    Index(Vec<i64>),
    /// `[1:3]`, `[-2:]`
    Slice(Option<i64>, Option<i64>),
    /// `.*`, `[*]`
    Wildcard,
    /// `..`: the next step at every depth.
    Scan,
    /// `[?(…)]`
    Filter(Filter),
    /// `.length()` and others, last.
    Function(Function),
}

/// What a path can end in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Function {
    Length,
    Keys,
    Min,
    Max,
    Avg,
    Sum,
    Stddev,
    First,
    Last,
    Index(i64),
}

/// A condition on an element.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub enum Filter {
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Compare(Operand, Relation, Operand),
    /// There is something at the path, or is not.
    Exists(Operand, bool),
}

/// How two operands are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Relation {
    Eq,
    NotEq,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    Matches,
    In,
    NotIn,
    Contains,
    Size,
    Empty,
}

/// A side of a comparison.
#[derive(Clone, Debug)]
pub enum Operand {
    /// From the element (`@`) or the root (`$`).
    Path {
        /// `$`
        from_root: bool,
        /// The way.
        path: Path,
    },
    /// JSON text, read: a number, `true`, `null`, `[…]`.
    Json(String, super::Document),
    /// A string.
    Text(String),
    /// `/…/`
    Pattern(Regex),
}

impl Path {
    /// It leads to one place at most.
    pub fn is_definite(&self) -> bool {
        self.is_definite_before(self.steps.len())
    }

    /// The first `n` steps lead to one place at most.
    pub fn is_definite_before(&self, n: usize) -> bool {
        let last = self.steps.len();
        self.steps[..n].iter().enumerate().all(|(i, s)| match s {
            Step::Name(_) | Step::Function(_) => true,
            Step::Names(_) => i + 1 == last,
            Step::Index(list) => list.len() == 1,
            Step::Slice(..) | Step::Wildcard | Step::Scan | Step::Filter(_) => false,
        })
    }
}

impl PathSpec {
    /// Reads a path with its mode; a bad path is part of the value.
    pub fn read(text: &str) -> Self {
        let trimmed = text.trim_start_matches([' ', '\t', '\n', '\r']);
        for (word, lax) in [("strict", false), ("lax", true)] {
            if let Some(head) = trimmed.get(..word.len())
                && head.eq_ignore_ascii_case(word)
                && trimmed[word.len()..].starts_with([' ', '\t', '\n', '\r'])
                && !trimmed[word.len()..].trim().is_empty()
            {
                return Self { lax, path: read(trimmed[word.len()..].trim_start()) };
            }
        }
        Self { lax: false, path: read(text) }
    }
}

/// Reads a path.
fn read(text: &str) -> Result<Path, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err("a JSON path is not empty".into());
    }
    let owned;
    let source = if trimmed.starts_with(['$', '@']) {
        trimmed
    } else {
        owned = format!("$.{trimmed}");
        &owned
    };
    if source.ends_with('.') {
        return Err("a JSON path does not end with '.'".into());
    }
    let mut r = Reader { text: source, at: 1 };
    let mut path = Path::default();
    while r.at < source.len() {
        r.step(&mut path)?;
    }
    if let Some(at) = path.steps.iter().position(|s| matches!(s, Step::Function(_)))
        && (at + 1 < path.steps.len() || !path.is_definite_before(at))
    {
        return Err("a function stands last in a JSON path, behind a way to one place".into());
    }
    if matches!(path.steps.last(), Some(Step::Scan)) {
        return Err("a JSON path does not end with '..'".into());
    }
    Ok(path)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

type Fallible<T> = Result<T, String>;

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn fail<T>(&self) -> Fallible<T> {
        Err(format!("the JSON path '{}' cannot be read from position {} on", self.text, self.at))
    }

    fn eat(&mut self, part: &str) -> bool {
        let found = self.rest().starts_with(part);
        self.at += if found { part.len() } else { 0 };
        found
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn step(&mut self, path: &mut Path) -> Fallible<()> {
        if self.eat("..") {
            path.steps.push(Step::Scan);
            if self.rest().starts_with('.') || self.rest().is_empty() {
                return self.fail();
            }
        } else if !self.eat(".") {
            return if self.rest().starts_with('[') { self.bracket(path) } else { self.fail() };
        }
        match self.rest().chars().next() {
            Some('[') => self.bracket(path),
            Some('*') => {
                self.at += 1;
                path.steps.push(Step::Wildcard);
                Ok(())
            }
            Some('.' | ' ') | None => self.fail(),
            Some(_) => self.name_or_function(path),
        }
    }

    fn name_or_function(&mut self, path: &mut Path) -> Fallible<()> {
        let end = self.rest().find(['.', '[', '(', ' ']).unwrap_or(self.rest().len());
        let name = &self.rest()[..end];
        self.at += end;
        if self.rest().starts_with(' ') {
            return self.fail();
        }
        if !self.eat("(") {
            path.steps.push(Step::Name(name.to_string()));
            return Ok(());
        }
        let Some(close) = self.rest().find(')') else { return self.fail() };
        let argument = self.rest()[..close].trim();
        self.at += close + 1;
        let function = match (name, argument) {
            ("length" | "size", "") => Function::Length,
            ("keys", "") => Function::Keys,
            ("min", "") => Function::Min,
            ("max", "") => Function::Max,
            ("avg", "") => Function::Avg,
            ("sum", "") => Function::Sum,
            ("stddev", "") => Function::Stddev,
            ("first", "") => Function::First,
            ("last", "") => Function::Last,
            ("index", n) if n.parse::<i64>().is_ok() => Function::Index(n.parse().unwrap_or(0)),
            _ => return Err(format!("the function {name}({argument}) of JSON paths is not supported")),
        };
        path.steps.push(Step::Function(function));
        Ok(())
    }

    fn bracket(&mut self, path: &mut Path) -> Fallible<()> {
        self.at += 1;
        self.blanks();
        let step = match self.rest().chars().next() {
            Some(quote @ ('\'' | '"')) => self.names(quote)?,
            Some('*') => {
                self.at += 1;
                Step::Wildcard
            }
            Some('?') => {
                self.at += 1;
                self.blanks();
                if !self.eat("(") {
                    return Err("a filter of a JSON path is written [?( … )]".into());
                }
                let filter = self.disjunction()?;
                self.blanks();
                if !self.eat(")") {
                    return self.fail();
                }
                Step::Filter(filter)
            }
            _ => self.subscript()?,
        };
        self.blanks();
        if !self.eat("]") {
            return self.fail();
        }
        path.steps.push(step);
        Ok(())
    }

    fn names(&mut self, quote: char) -> Fallible<Step> {
        let mut names = vec![];
        loop {
            self.blanks();
            if !self.rest().starts_with(quote) {
                return self.fail();
            }
            names.push(self.quoted()?);
            self.blanks();
            if !self.eat(",") {
                break;
            }
        }
        Ok(if names.len() == 1 { Step::Name(names.remove(0)) } else { Step::Names(names) })
    }

    /// A string in its quotes, with escapes.
    fn quoted(&mut self) -> Fallible<String> {
        let mut chars = self.rest().char_indices();
        let quote = chars.next().map_or('\'', |(_, c)| c);
        let mut out = String::new();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => out.push('\n'),
                    Some((_, 't')) => out.push('\t'),
                    Some((_, 'r')) => out.push('\r'),
                    Some((_, 'b')) => out.push('\u{8}'),
                    Some((_, 'f')) => out.push('\u{c}'),
                    Some((_, 'u')) => {
                        let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                        match code {
                            Some(c) => out.push(c),
                            None => return self.fail(),
                        }
                    }
                    Some((_, other)) => out.push(other),
                    None => break,
                },
                c if c == quote => {
                    self.at += i + c.len_utf8();
                    return Ok(out);
                }
                c => out.push(c),
            }
        }
        self.fail()
    }

    fn integer(&mut self) -> Fallible<Option<i64>> {
        self.blanks();
        let digits = self.rest().strip_prefix('-').unwrap_or(self.rest());
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let len = end + self.rest().len() - digits.len();
        if len == 0 {
            return Ok(None);
        }
        let Ok(n) = self.rest()[..len].parse::<i32>() else { return self.fail() };
        self.at += len;
        self.blanks();
        Ok(Some(n.into()))
    }

    fn subscript(&mut self) -> Fallible<Step> {
        let first = self.integer()?;
        if self.eat(":") {
            let last = self.integer()?;
            if first.is_none() && last.is_none() || self.rest().starts_with(':') {
                return self.fail();
            }
            return Ok(Step::Slice(first, last));
        }
        let Some(first) = first else { return self.fail() };
        let mut list = vec![first];
        while self.eat(",") {
            match self.integer()? {
                Some(n) => list.push(n),
                None => return self.fail(),
            }
        }
        Ok(Step::Index(list))
    }

    fn disjunction(&mut self) -> Fallible<Filter> {
        let mut left = self.conjunction()?;
        while {
            self.blanks();
            self.eat("||")
        } {
            left = Filter::Or(Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Fallible<Filter> {
        let mut left = self.condition()?;
        while {
            self.blanks();
            self.eat("&&")
        } {
            left = Filter::And(Box::new(left), Box::new(self.condition()?));
        }
        Ok(left)
    }

    fn condition(&mut self) -> Fallible<Filter> {
        self.blanks();
        if self.eat("(") {
            let inner = self.disjunction()?;
            self.blanks();
            return if self.eat(")") { Ok(inner) } else { self.fail() };
        }
        let negated = self.rest().starts_with('!') && !self.rest().starts_with("!=");
        if negated {
            self.at += 1;
            self.blanks();
            if !self.rest().starts_with(['@', '$']) {
                return Err("in a filter of a JSON path only a path can be negated".into());
            }
        }
        let left = self.operand()?;
        self.blanks();
        if self.rest().starts_with([')', '&', '|']) {
            return match left {
                Operand::Path { .. } => Ok(Filter::Exists(left, !negated)),
                _ => self.fail(),
            };
        }
        if negated {
            return Err("in a filter of a JSON path only a path that stands alone can be negated".into());
        }
        let relation = self.relation()?;
        let right = self.operand()?;
        Ok(Filter::Compare(left, relation, right))
    }

    fn relation(&mut self) -> Fallible<Relation> {
        let symbols = [
            ("=~", Relation::Matches),
            ("==", Relation::Eq),
            ("!=", Relation::NotEq),
            ("<=", Relation::LessEq),
            (">=", Relation::GreaterEq),
            ("<", Relation::Less),
            (">", Relation::Greater),
        ];
        if self.rest().starts_with("===") || self.rest().starts_with("!==") {
            return Err("the operators === and !== of JSON paths are not supported".into());
        }
        for (symbol, relation) in symbols {
            if self.eat(symbol) {
                return Ok(relation);
            }
        }
        let end = self.rest().find(' ').unwrap_or(self.rest().len());
        let word = &self.rest()[..end];
        let relation = match word.to_ascii_lowercase().as_str() {
            "in" => Relation::In,
            "nin" => Relation::NotIn,
            "contains" => Relation::Contains,
            "size" => Relation::Size,
            "empty" => Relation::Empty,
            _ => return Err(format!("the operator '{word}' of JSON paths is not supported")),
        };
        self.at += end;
        Ok(relation)
    }

    fn operand(&mut self) -> Fallible<Operand> {
        self.blanks();
        let rest = self.rest();
        match rest.chars().next() {
            Some(c @ ('@' | '$')) => {
                self.at += 1;
                let mut path = Path::default();
                while self.rest().starts_with(['.', '[']) {
                    self.inner_step(&mut path)?;
                }
                Ok(Operand::Path { from_root: c == '$', path })
            }
            Some('\'' | '"') => self.quoted().map(Operand::Text),
            Some('/') => {
                let end = 1 + rest[1..].find('/').ok_or("a pattern of a JSON path ends with '/'")?;
                let body = &rest[1..end];
                self.at += end + 1;
                let flags = if self.eat("i") { "(?i)" } else { "" };
                Regex::new(&format!("{flags}^(?:{body})$"))
                    .map(Operand::Pattern)
                    .map_err(|_| format!("the pattern /{body}/ of a JSON path is not supported"))
            }
            Some('[' | '{') => {
                let mut document = super::Document::default();
                document
                    .parse(rest.as_bytes())
                    .map_err(|_| "a filter holds a JSON value that cannot be read")?;
                let text = std::str::from_utf8(document.text(0, rest.as_bytes())).unwrap_or_default();
                self.at += text.len();
                Ok(Operand::Json(text.to_string(), document))
            }
            _ => {
                let end = rest.find([' ', ')', '&', '|', ']']).unwrap_or(rest.len());
                let word = &rest[..end];
                let mut document = super::Document::default();
                if document.parse(word.as_bytes()).is_err() {
                    return self.fail();
                }
                self.at += end;
                Ok(Operand::Json(word.to_string(), document))
            }
        }
    }

    /// A step of a path inside a filter, where names end sooner.
    fn inner_step(&mut self, path: &mut Path) -> Fallible<()> {
        if self.rest().starts_with('[') {
            return self.bracket(path);
        }
        if self.eat("..") {
            path.steps.push(Step::Scan);
        } else {
            self.at += 1;
        }
        if self.eat("*") {
            path.steps.push(Step::Wildcard);
            return Ok(());
        }
        let stop = [' ', ')', '.', '[', '(', '<', '>', '=', '!', '~', '&', '|'];
        let end = self.rest().find(stop).unwrap_or(self.rest().len());
        if end == 0 {
            return if self.rest().starts_with('[') { self.bracket(path) } else { self.fail() };
        }
        if self.rest()[end..].starts_with('(') {
            return self.name_or_function(path);
        }
        path.steps.push(Step::Name(self.rest()[..end].to_string()));
        self.at += end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_stands_before_the_path() {
        for (text, lax) in [
            ("lax $.a", true),
            ("  LAX\t$.a", true),
            ("strict $.a", false),
            ("$.a", false),
            ("laxity", false),
        ] {
            let spec = PathSpec::read(text);
            assert_eq!(spec.lax, lax, "{text}");
            assert_eq!(spec.path.unwrap().steps.len(), 1, "{text}");
        }
    }

    #[test]
    fn paths_that_cannot_be_read_say_why() {
        for (text, why) in [
            ("", "not empty"),
            ("bad[", "position"),
            ("$.", "end with '.'"),
            ("$a", "position"),
            ("$..", "end with '.'"),
            ("$[1:2:3]", "position"),
            ("$['a", "position"),
            ("$.a.concat('x')", "concat"),
            ("$.*.length()", "function stands last"),
            ("$[?(@.a === 1)]", "==="),
            ("$[?(@.a subsetof [1])]", "subsetof"),
        ] {
            let e = PathSpec::read(text).path.unwrap_err();
            assert!(e.contains(why), "{text}: {e}");
        }
    }

    #[test]
    fn paths_are_definite_or_not() {
        for (text, definite) in [
            ("$", true),
            ("$.a['b c'][0]", true),
            ("$['a','b']", true),
            ("$['a','b'].c", false),
            ("$[0,1]", false),
            ("$[1:]", false),
            ("$..a", false),
            ("$.a.*", false),
            ("$[?(@.k > 1 && (@.x || $.y == 'z'))].k", false),
            ("$.a.length()", true),
        ] {
            assert_eq!(PathSpec::read(text).path.unwrap().is_definite(), definite, "{text}");
        }
    }
}
