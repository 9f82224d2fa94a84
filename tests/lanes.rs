//! Vector code stays vector code: every function generic over a lane carries `#[inline(always)]` and is made of plain loops.
//!
//! A lane (`real::Real` and its relatives) is a vector register in a type. `real::dispatch` enters one function compiled with
//! AVX-512 or AVX2 switched on, and whatever is inlined into it may use those registers. A function that is not inlined, a closure
//! body included, is compiled for the baseline instead: the program stays right and becomes 25 to 70 times slower, in silence.
//!
//! A function that is never called with a lane may say so: `// lanes: exempt, <reason>` above it or above its impl block.

mod source;

use source::{closing, code, is_word, line_of, words};

/// The traits whose implementers hold vectors.
const LANE_TRAITS: &[&str] = &["Real", "Word", "Wide", "Isa", "Mask"];
/// Calls that take a closure, or pass lanes by value through code that is not ours. (`zip` and `enumerate` over references in the head of
/// a `for` do neither.)
const ADAPTORS: &[&str] = &[
    "map",
    "fold",
    "for_each",
    "filter",
    "filter_map",
    "flat_map",
    "scan",
    "reduce",
    "collect",
    "sum",
    "product",
    "copied",
    "cloned",
    "from_fn",
];
const EXEMPT: &str = "// lanes: exempt, ";

/// One line for each function that breaks the rule: `path:line: fn name: why`.
fn violations(path: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let bytes = code.as_bytes();
    let blocks = lane_blocks(text, &code);
    let mut found = Vec::new();
    for at in words(&code, "fn") {
        let after = at + 2;
        let name: String = code[after..].trim_start().chars().take_while(|c| c.is_ascii() && is_word(*c as u8)).collect();
        if name.is_empty() {
            continue; // a function pointer type
        }
        let Some((header_end, body)) = signature_end(bytes, after) else { continue };
        let block = blocks.iter().find(|b| b.start < at && at < b.end);
        if !(bounds_a_lane(&code[after..header_end]) || block.is_some()) {
            continue;
        }
        if exempt(text, at) || block.is_some_and(|b| b.exempt) {
            continue;
        }
        let Some(body_end) = body else { continue }; // a declaration in a trait
        let mut complain = |why: &str| found.push(format!("{path}:{}: fn {name}: {why}", line_of(&code, at)));
        if !attributes(text, at).contains("#[inline(always)]") {
            complain("generic over a lane, without #[inline(always)]");
        }
        let body = &code[header_end + 1..body_end];
        if closure(body) {
            complain("a closure in a function generic over a lane");
        }
        for adaptor in ADAPTORS {
            let called = |i: &usize| body[i + adaptor.len()..].trim_start().starts_with(['(', ':']) && body[..*i].ends_with(['.', ':']);
            if words(body, adaptor).iter().any(called) {
                complain(&format!("`{adaptor}` in a function generic over a lane: write the loop"));
            }
        }
    }
    found
}

/// A block whose functions all handle lanes: the trait `Real` itself, `impl Real for ...`, `impl<T: Real> ...`.
struct Block {
    start: usize,
    end: usize,
    exempt: bool,
}

fn lane_blocks(text: &str, code: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    for keyword in ["impl", "trait"] {
        for at in words(code, keyword) {
            let before = code[..at].trim_end();
            let item =
                before.is_empty() || before.ends_with(['}', ';', ']', '{', ')']) || before.ends_with("pub") || before.ends_with("unsafe");
            let Some((open, Some(end))) = signature_end(code.as_bytes(), at) else { continue };
            if !item || code.as_bytes()[open] != b'{' {
                continue; // `impl Real` as an argument
            }
            let header = &code[at..open];
            let of_the_trait = LANE_TRAITS.iter().any(|t| match keyword {
                "trait" => words(header, t).iter().any(|i| header[..*i].trim() == "trait"),
                _ => words(header, t).iter().any(|i| header[i + t.len()..].trim_start().starts_with("for ")),
            });
            if of_the_trait || bounds_a_lane(header) {
                blocks.push(Block { start: open, end, exempt: exempt(text, at) });
            }
        }
    }
    blocks
}

/// Where the signature that starts at `from` ends (its `{` or `;`), and where its body ends, if it has one.
fn signature_end(bytes: &[u8], from: usize) -> Option<(usize, Option<usize>)> {
    let mut i = from;
    while i < bytes.len() {
        match bytes[i] {
            b'(' | b'[' => i = closing(bytes, i) + 1,
            b'{' => return Some((i, Some(closing(bytes, i)))),
            b';' => return Some((i, None)),
            b')' | b']' | b'}' => return None, // a type inside something else
            _ => i += 1,
        }
    }
    None
}

/// True when a signature or header has a bound `T: Real`, `T: Copy + Real` or an argument `impl Real`.
fn bounds_a_lane(header: &str) -> bool {
    LANE_TRAITS.iter().any(|t| {
        words(header, t).into_iter().any(|i| {
            let mut before = header[..i].trim_end();
            while let Some(path) = before.strip_suffix("::") {
                before = path.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').trim_end(); // crate::real::Real
            }
            // Inside the argument list a bound needs `impl`; `x: Word` there is a type.
            let depth = header[..i].bytes().fold(0, |d, b| d + i32::from(b == b'(') - i32::from(b == b')'));
            before.ends_with("impl") || before.ends_with('+') || (depth == 0 && before.ends_with(':'))
        })
    })
}

/// The lines of attributes and comments directly above the line of `at`.
fn attributes(text: &str, at: usize) -> String {
    let line_start = text[..at].rfind('\n').map_or(0, |n| n + 1);
    let mut lines = vec![&text[line_start..at]];
    for line in text[..line_start].lines().rev() {
        let line = line.trim_start();
        if !(line.starts_with("#[") || line.starts_with("//")) {
            break;
        }
        lines.push(line);
    }
    lines.join("\n")
}

fn exempt(text: &str, at: usize) -> bool {
    attributes(text, at).lines().any(|l| l.trim_start().strip_prefix(EXEMPT).is_some_and(|reason| reason.trim().len() >= 10))
}

/// True when a `|` opens a closure's arguments: it follows something that cannot end a value.
fn closure(body: &str) -> bool {
    let bytes = body.as_bytes();
    body.match_indices('|').any(|(i, _)| {
        if i > 0 && bytes[i - 1] == b'|' {
            return false; // the second bar of `||`
        }
        let before = body[..i].trim_end();
        let opens = before.is_empty() || before.ends_with(['(', ',', '=', '{', ';', '&', '[']) || before.ends_with("=>");
        let keyword = ["return", "move", "else", "in"]
            .iter()
            .any(|k| before.ends_with(k) && !before[..before.len() - k.len()].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
        opens || keyword
    })
}

#[test]
fn lane_functions_are_inlined_plain_loops() {
    let files = source::all();
    let found: Vec<String> = files.iter().flat_map(|(path, text)| violations(path, text)).collect();
    assert!(found.is_empty(), "{} functions would leave the vector registers:\n{}", found.len(), found.join("\n"));
}

#[test]
fn broken_snippets_are_caught() {
    let broken = [
        "fn f<T: Real>(x: T) -> T { x * x }",
        "#[inline]\npub fn f<T: Real>(x: T) -> T { x * x }",
        "pub(crate) fn f<T>(x: &[T]) -> T where T: Copy + crate::real::Real { x[0] }",
        "fn f(x: impl Real) {}",
        "impl<T: Real> Add for Dual<T> { fn add(self, o: Self) -> Self { self } }",
        "impl Real for Wide { fn sqrt(self) -> Self { self } }",
        "pub trait Real: Copy { fn ln_1p(self) -> Self { self } }",
        "#[inline(always)]\nfn f<T: Real>(x: &[T]) { let g = |a: T| a * a; }",
        "#[inline(always)]\nfn f<T: Real>(x: &[T], f: &mut [T]) { f[0] = x.iter().copied().next(); }",
        "#[inline(always)]\nfn f<T: Real>(x: [T; 3]) -> [T; 3] { x.map(T::sqrt) }",
        "#[inline(always)]\nfn f<T: Real>() { apply(move || 1); }",
        "#[inline(always)]\nfn f<T: Real>() -> [T; 3] { std::array::from_fn(T::of) }",
        "// lanes: exempt, no\nfn f<T: Real>(x: T) -> T { x }",
        "impl Energy for Lj { fn energy_force<T: Real>(&self, x: &[T], l: T, f: &mut [T]) -> T { l } }",
    ];
    for text in broken {
        assert_eq!(violations("snippet.rs", text).len(), 1, "{text}\n{:?}", violations("snippet.rs", text));
    }
    let fine = [
        "#[inline(always)]\nfn f<T: Real>(x: T) -> T { let m = (a | b) || c; x * x }",
        "/// Doc.\n#[inline(always)]\n// why\npub fn f<T: Real>(x: &[T], g: &mut [T]) { for (a, b) in x.iter().zip(g.iter_mut()) { *b = *a; } }",
        "pub trait Real: Copy { fn sqrt(self) -> Self; }\nfn host(x: &[f64]) -> Vec<f64> { x.iter().map(|a| a * a).collect() }",
        "// lanes: exempt, builds a table once at start-up\nfn f<T: Real>(x: T) -> T { g(|a| a) }",
        "// lanes: exempt, printing is not computing\nimpl<T: Real> Debug for Dual<T> { fn fmt(&self) -> R { h(|a| a) } }",
        "fn work(f: fn(u32) -> u32, w: Mask) {}",
        "impl Real for Wide { #[inline(always)] fn sqrt(self) -> Self { match a { A | B => self } } }",
        "#[cfg(test)]\nmod tests { fn f<T: Real>(x: T) { g(|a| a) } }",
    ];
    for text in fine {
        assert_eq!(violations("snippet.rs", text), Vec::<String>::new(), "{text}");
    }
}
