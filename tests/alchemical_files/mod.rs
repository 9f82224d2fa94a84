//! Small files in the formats of other programs: a harmonic u = K(lambda) x^2 / 2 whose stiffness grows from 1 to 2, x from a fixed stream.

use std::fmt::Write;

/// Standard normals that depend on the seed alone.
pub(crate) fn normals(seed: u64, n: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            ergodica::estimate::normal_quantile(((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64)
        })
        .collect()
}

/// kJ/mol of one kT at 300 K.
const KT: f64 = 8.314_462_618_153_24e-3 * 300.0;

fn stiffness(lambda: f64) -> f64 {
    1.0 + lambda
}

/// x^2/2 of samples at lambda; `shift` makes another simulation.
fn halves(lambda: f64, n: usize, shift: f64) -> Vec<f64> {
    let seed = (lambda * 1000.0) as u64 + 17 + (shift * 1e6) as u64;
    normals(seed, n).into_iter().map(|z| 0.5 * z * z / stiffness(lambda)).collect()
}

/// dhdl.xvg at `lambda` with energies at `columns`.
pub(crate) fn gromacs(lambda: f64, columns: &[f64], n: usize, shift: f64) -> String {
    let mut t = "# made for a test\n@    title \"dH/d\\xl\\f{} and \\xD\\f{}H\"\n@TYPE xy\n".to_owned();
    let _ = writeln!(t, "@ subtitle \"T = 300 (K) \\xl\\f{{}} state 0: fep-lambda = {lambda:.4}\"");
    let _ = writeln!(t, "@ s0 legend \"dH/d\\xl\\f{{}} fep-lambda = {lambda:.4}\"");
    for (k, l) in columns.iter().enumerate() {
        let _ = writeln!(t, "@ s{} legend \"\\xD\\f{{}}H \\xl\\f{{}} to {l:.4}\"", k + 1);
    }
    let _ = writeln!(t, "@ s{} legend \"pV (kJ/mol)\"", columns.len() + 1);
    for (k, h) in halves(lambda, n, shift).into_iter().enumerate() {
        let _ = write!(t, "{:.4} {:.8}", k as f64, KT * h);
        for l in columns {
            let _ = write!(t, " {:.8}", KT * (l - lambda) * h);
        }
        t += " 0.77155721\n";
    }
    t
}

/// mdout at `lambda`.
pub(crate) fn amber(lambda: f64, columns: &[f64], n: usize, temperature: f64) -> String {
    let kcal = 8.314_462_618_153_24e-3 * temperature / 4.184;
    let mut t = "          Amber 16 PMEMD                              2016\n\n   2.  CONTROL  DATA  FOR  THE  RUN\n\n".to_owned();
    let _ = writeln!(
        t,
        "     temp0   = {temperature:.5}, tempi   =   0.00000\n     t       =   0.00000, dt      =   0.00200, vlimit  =  -1.00000"
    );
    let _ = writeln!(t, "     icfe    =       1, ifsc    =       1\n     clambda =  {lambda:.4}, scalpha =  0.5000");
    let _ = writeln!(t, "     ifmbar  =       1,  bar_intervall =     1000");
    let list: Vec<String> = columns.iter().map(|l| format!("{l:.4}")).collect();
    let _ = writeln!(
        t,
        "    MBAR - lambda values considered:\n      {} total:  {}\n    Extra energies will be computed\n",
        columns.len(),
        list.join(" ")
    );
    t += "   3.  ATOMIC COORDINATES AND VELOCITIES\n\n begin time read from input coords =    20.000 ps\n\n   4.  RESULTS\n\n";
    for (k, h) in halves(lambda, n, 0.0).into_iter().enumerate() {
        t += "MBAR Energy analysis:\n";
        for l in columns {
            let _ = writeln!(t, "Energy at {l:.4} = {:.4}", -144_350.0 + kcal * stiffness(*l) * h);
        }
        for region in 1..3 {
            let _ = writeln!(
                t,
                "\n| TI region  {region}\n\n NSTEP = {:8}   TIME(PS) = {:11.3}  TEMP(K) =   300.00",
                (k + 1) * 1000,
                22.0 + 2.0 * k as f64
            );
            let _ = writeln!(t, " Etot   =   -117298.5121  EKtot   =     27052.3320\n DV/DL  = {:14.4}", kcal * h);
        }
    }
    let _ = writeln!(
        t,
        "      A V E R A G E S   O V E R {n} S T E P S\n\n NSTEP = {:8}   TIME(PS) =  99.000\n DV/DL  = 1.0\n\n   5.  TIMINGS",
        n * 1000
    );
    t
}

/// Window k of an interleaved double-wide fepout.
pub(crate) fn namd(lambdas: &[f64], k: usize, n: usize) -> String {
    let last = k + 1 == lambdas.len();
    let (here, next) = (lambdas[k], if last { lambdas[k - 1] } else { lambdas[k + 1] });
    let back = (k > 0 && !last).then(|| lambdas[k - 1]);
    let mut t = format!("#            STEP   Elec   vdW   dE\n#NEW FEP WINDOW: LAMBDA SET TO {here} LAMBDA2 {next}");
    t += &back.map_or("\n".to_owned(), |b| format!(" LAMBDA_IDWS {b}\n"));
    let mut row = |name: &str, step: usize, e: f64| {
        let _ = writeln!(t, "{name} {step:6} -3585.5844 -3587.5244 332.8863 332.8713 {e:.4} -1.9484 296.7706 -1.9484");
    };
    row("FepEnergy:", 10, 99.0);
    t += "#STARTING COLLECTION OF ENSEMBLE AVERAGE\n";
    for (i, h) in halves(here, n, 0.0).into_iter().enumerate() {
        let (name, to) = match back {
            Some(b) if i % 2 == 1 => ("FepE_back:", b),
            _ => ("FepEnergy:", next),
        };
        let _ = writeln!(
            t,
            "{name} {:6} -3585.5844 -3587.5244 332.8863 332.8713 {:.4} -1.9484 296.7706 -1.9484",
            20 + 10 * i,
            KT / 4.184 * (to - here) * h
        );
    }
    let _ = writeln!(t, "#Free energy change for lambda window [ {here} {next} ] is 0.1 ; net change until now is 0.1");
    t
}

/// GOMC's file at VDW = lambda, Coulomb = 0.
pub(crate) fn gomc(lambda: f64, columns: &[f64], n: usize) -> String {
    let mut t = format!("#T = 300.0000(K), Lambda State 0: (lambda Coulomb, lambda VDW) = (0.0000,{lambda:.4})\n");
    let _ = write!(t, "#Steps               Total_En(kJ/mol)     dU/dL(Coulomb=0.0000)         dU/dL(VDW={lambda:.4})");
    for l in columns {
        let _ = write!(t, "  DelE(L->(0.0000,{l:.4}))");
    }
    t += "  PV(kJ/mol)\n";
    for (k, h) in halves(lambda, n, 0.0).into_iter().enumerate() {
        let _ = write!(t, "{} -41027.4404950908 27.3951759307 {:.10}", (k + 1) * 50_000, KT * h);
        for l in columns {
            let _ = write!(t, " {:.10}", KT * (l - lambda) * h);
        }
        t += " 1.25\n";
    }
    t
}

/// Three harmonics of stiffness 1, 1.5, 2: numbers of samples and u_kn.
pub(crate) fn harmonics() -> (Vec<usize>, Vec<f64>) {
    let (n_k, lambdas) = (vec![400, 300, 500], [0.0, 0.5, 1.0]);
    let h: Vec<f64> = lambdas.iter().zip(&n_k).flat_map(|(l, n)| halves(*l, *n, 0.0)).collect();
    let u = lambdas.iter().flat_map(|l| h.iter().map(move |h| stiffness(*l) * h)).collect();
    (n_k, u)
}

/// A NumPy file.
pub(crate) fn npy(descr: &str, shape: &[usize], values: &[f64]) -> Vec<u8> {
    let shape: String = shape.iter().map(|n| format!("{n},")).collect();
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.bytes());
    file.extend(values.iter().flat_map(|v| v.to_le_bytes()));
    file
}

/// A zip archive of stored members.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, body) in members {
        let mut crc = flate2::Crc::new();
        crc.update(body);
        let offset = out.len() as u32;
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend((body.len() as u32).to_le_bytes());
        common.extend((body.len() as u32).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.bytes());
        out.extend(*body);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.bytes());
    }
    let start = out.len() as u32;
    let length = directory.len() as u32;
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((members.len() as u16).to_le_bytes());
    out.extend((members.len() as u16).to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}
