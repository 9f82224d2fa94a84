//! Seam until `crate::real` lands.
pub(super) trait Real: Copy {
    fn ln(self) -> Self;
    fn sin_cos(self) -> (Self, Self)
    where
        Self: Sized;
    fn atan2(self, x: Self) -> Self;
}
impl Real for f64 {
    fn ln(self) -> f64 {
        f64::ln(self)
    }
    fn sin_cos(self) -> (f64, f64) {
        f64::sin_cos(self)
    }
    fn atan2(self, x: f64) -> f64 {
        f64::atan2(self, x)
    }
}
