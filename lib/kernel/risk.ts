/** The five risk levels, least to most dangerous. IMPACT_CRITICAL is measured, the others are read from the statement. */
export const RISK_LEVELS = ['SAFE', 'LOW', 'HIGH', 'IMPACT_CRITICAL', 'CRITICAL'] as const
export type RiskLevel = (typeof RISK_LEVELS)[number]

/** The higher of two levels. */
export function maxRisk(left: RiskLevel, right: RiskLevel): RiskLevel {
  return RISK_LEVELS.indexOf(left) >= RISK_LEVELS.indexOf(right) ? left : right
}

export function isAtLeast(level: RiskLevel, floor: RiskLevel): boolean {
  return RISK_LEVELS.indexOf(level) >= RISK_LEVELS.indexOf(floor)
}
