//! Reads a run back: `cargo run --release --example read_run -- runs/quickstart production energy`.

use ergodica::estimate::{Series, autocorrelation_time, mean};
use ergodica::io::reader::Run;

fn main() -> ergodica::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, stage, column] = arguments.as_slice() else {
        eprintln!("usage: read_run DIR STAGE COLUMN");
        std::process::exit(2);
    };
    let run = Run::open(dir)?;
    let stage = run.stage(stage)?;
    let series = stage.column(column)?; // [replica][draw]
    let values = series.concat();
    let series = Series::new(&values, series.len())?;
    let (m, tau) = (mean(series)?, autocorrelation_time(series)?);
    println!(
        "{column}: {} replicas x {} draws, mean {:.4} ± {:.4}, tau {:.2} draws",
        series.replicas, series.draws, m.value, m.stderr, tau.tau
    );
    Ok(())
}
