use crate::kit;
use copal_hooks::*;
use serde_json::json;
#[test]
fn speed() {
    for l in ["rust","c","js","python"] {
        let component = kit::component(l).unwrap();
        let t=std::time::Instant::now();
        let hook = kit::load(&component, json!({"suffixes":[".tmp",".bak",".swp"],"max-size":1000000}), &json!({}), Limits::default());
        let load=t.elapsed();
        let t2=std::time::Instant::now();
        let _ = kit::load(&component, json!({"suffixes":[".tmp"],"max-size":1000000}), &json!({}), Limits::default());
        eprintln!("{l}: load {load:?} again {:?} inst {:?}", t2.elapsed(), (0..20).map(|_| hook.instantiate().unwrap()).min());
        let mut s = kit::filter(&hook).unwrap();
        let mut b = s.batch();
        let paths: Vec<String> = (0..4096).map(|i| format!("uploads/2026/11/{:03}/some-document-name-{i}.{}", i%977, if i%5==0 {"tmp"} else {"pdf"})).collect();
        let mut best=0.0f64;
        for _ in 0..60 {
            let t=std::time::Instant::now();
            b.clear();
            for (i,p) in paths.iter().enumerate() { b.push(p.as_bytes(), EntryKind::File, i as u64 * 7, 0); }
            let v=s.decide(&b).unwrap();
            best=best.max(v.len() as f64/t.elapsed().as_secs_f64()/1e6);
        }
        eprintln!("{l}: {best:.2} M paths/s");
    }
}
