//! The one place where the width of the vectors is chosen.

use super::lane::{Lane, Wide};
use super::portable::Portable;
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use super::{avx2::Avx2, avx512::Avx512};

/// Work that runs on lanes of any instruction set. Implementations and all they call are `#[inline(always)]`.
pub trait Lanewise {
    /// What comes back.
    type Out;
    /// The work, on lanes `L`.
    fn run<L: Wide>(self) -> Self::Out;
}

/// The vector paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// One 512-bit register a lane.
    Avx512,
    /// Two 256-bit registers a lane.
    Avx2,
    /// Plain arrays.
    Portable,
}

impl Path {
    /// The name that `ERGODICA_ISA` takes.
    pub fn name(self) -> &'static str {
        match self {
            Path::Avx512 => "avx512",
            Path::Avx2 => "avx2",
            Path::Portable => "portable",
        }
    }

    /// Does this machine have it?
    pub fn available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Path::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Path::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Path::Portable => true,
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }
}

/// The path in use: the widest that the machine has, or the one that `ERGODICA_ISA` names.
///
/// # Errors
/// `Error::Input` when the variable names no path or one that this machine lacks.
pub fn path() -> crate::Result<Path> {
    static PATH: OnceLock<Result<Path, String>> = OnceLock::new();
    PATH.get_or_init(choose)
        .clone()
        .map_err(|what| crate::Error::input(what, "unset ERGODICA_ISA, or name one of avx512, avx2, portable that this machine has"))
}

fn choose() -> Result<Path, String> {
    let all = [Path::Avx512, Path::Avx2, Path::Portable];
    match std::env::var("ERGODICA_ISA") {
        Err(_) => Ok(all.into_iter().find(|p| p.available()).unwrap_or(Path::Portable)),
        Ok(name) => match all.into_iter().find(|p| p.name() == name) {
            None => Err(format!("ERGODICA_ISA = \"{name}\" names no vector path")),
            Some(p) if p.available() => Ok(p),
            Some(_) => Err(format!("ERGODICA_ISA = \"{name}\", but this machine does not have it")),
        },
    }
}

/// Runs the work on the chosen path, inside one function that has the instruction set switched on.
///
/// Call it inside each thread's closure: the switch does not travel through closures.
///
/// # Panics
/// When `ERGODICA_ISA` cannot be honoured; programs call [`path`] first and report it.
#[inline]
pub fn dispatch<W: Lanewise>(work: W) -> W::Out {
    match path() {
        Ok(p) => dispatch_on(p, work),
        Err(e) => panic!("{e}"),
    }
}

/// [`dispatch`] on a given path, which must be available: for tests that compare paths.
///
/// # Panics
/// When the machine lacks the path.
#[inline]
pub fn dispatch_on<W: Lanewise>(path: Path, work: W) -> W::Out {
    match path {
        #[cfg(target_arch = "x86_64")]
        Path::Avx512 => {
            assert!(path.available(), "no AVX-512 here");
            // SAFETY: the features were just detected.
            unsafe { enter_avx512(work) }
        }
        #[cfg(target_arch = "x86_64")]
        Path::Avx2 => {
            assert!(path.available(), "no AVX2 here");
            // SAFETY: the features were just detected.
            unsafe { enter_avx2(work) }
        }
        #[cfg(not(target_arch = "x86_64"))]
        Path::Avx512 | Path::Avx2 => panic!("no {} here", path.name()),
        Path::Portable => work.run::<Lane<Portable>>(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi2")]
fn enter_avx512<W: Lanewise>(work: W) -> W::Out {
    work.run::<Lane<Avx512>>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,bmi2")]
fn enter_avx2<W: Lanewise>(work: W) -> W::Out {
    work.run::<Lane<Avx2>>()
}
