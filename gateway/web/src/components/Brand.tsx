/** The mark: two edges of a road, an envelope's flap, and the lane between. */
export function BrandMark({ size = 22 }: { size?: number }) {
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" className="flex-none" strokeLinecap="round" strokeLinejoin="round" fill="none">
      <rect width="24" height="24" rx="6" className="fill-ink" />
      <path d="M6.2 18V6.8l5.8 4.6 5.8-4.6V18" className="stroke-paper" strokeWidth="2.4" />
      <path d="M12 13.9v2M12 17.2v2" className="stroke-mail-400" strokeWidth="2" strokeLinecap="butt" />
    </svg>
  );
}

const LETTERS =
  'M1.6 20v-9.6M1.6 14.4c0-2.5 1.6-4 3.7-4s3.6 1.5 3.6 4V20M8.9 14.4c0-2.5 1.6-4 3.7-4s3.6 1.5 3.6 4V20M29.5 10.4V20M29.5 15.2a4.8 4.8 0 1 1-9.6 0a4.8 4.8 0 1 1 9.6 0M33.6 10.4V20M55.5 10.4V20M55.5 15.2a4.8 4.8 0 1 1-9.6 0a4.8 4.8 0 1 1 9.6 0M59.6 20v-9.6M59.6 14.6c0-2.6 1.8-4.2 4.1-4.2s4 1.5 4 4.2V20M71.4 15.1h9.5a4.75 4.8 0 1 0-1.5 3.5M37.7 3.6V20';

export function Wordmark({ height = 19, className }: { height?: number; className?: string }) {
  return (
    <svg viewBox="0 0 82.5 24" height={height} role="img" aria-label="maillane" className={className} fill="none" stroke="currentColor" strokeWidth="2.5" strokeLinecap="round" strokeLinejoin="round">
      <path d={LETTERS} />
      <path className="stroke-mail" d="M42.0 3.6V20" />
      <circle cx="33.6" cy="6.2" r="1.55" fill="currentColor" stroke="none" />
    </svg>
  );
}
