//! Sines without the platform's own: those differ in their last bits, and pictures must not.

/// Sine and cosine of an angle in degrees, within 0.002 (Bhaskara's formula).
pub(super) fn sine_cosine(degrees: f32) -> (f32, f32) {
    (sine(degrees), sine(degrees + 90.0))
}

/// The sine of an angle in degrees, within 0.002.
pub(super) fn sine(degrees: f32) -> f32 {
    let turned = degrees - (degrees / 360.0).floor() * 360.0;
    let (half, sign) = if turned < 180.0 { (turned, 1.0) } else { (turned - 180.0, -1.0) };
    let product = half * (180.0 - half);
    sign * 4.0 * product / (40_500.0 - product)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_are_close() {
        for degrees in (-720_i16..720).step_by(7) {
            let degrees = f32::from(degrees);
            assert!((sine(degrees) - degrees.to_radians().sin()).abs() < 0.002, "{degrees}");
        }
    }
}
