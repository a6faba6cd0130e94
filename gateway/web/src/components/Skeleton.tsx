/** The shape of rows to come, of their height, after 150 ms: nothing jumps, and what is quick shows none. */
export function SkeletonRows({ rows = 8, height = 40, two = false }: { rows?: number; height?: number; two?: boolean }) {
  return (
    <div className="late" aria-hidden="true">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex items-center gap-10 border-b border-line px-gutter" style={{ height }}>
          <span className="grid flex-[3] gap-2">
            <i className="breathe block h-2.5 rounded-[4px] bg-track" style={{ width: `${52 + ((row * 17) % 40)}%` }} />
            {two && <i className="breathe block h-2 rounded-[4px] bg-track opacity-70" style={{ width: `${70 + ((row * 11) % 28)}%` }} />}
          </span>
          <i className="breathe h-2.5 flex-1 rounded-[4px] bg-track phone:hidden" />
          <i className="breathe h-2.5 flex-[2] rounded-[4px] bg-track phone:hidden" />
        </div>
      ))}
    </div>
  );
}
