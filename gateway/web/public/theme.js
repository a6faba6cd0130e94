// Sets the theme before the first paint: what the person chose, else what the system wishes. An own file, because the
// policy lets no script run inline.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('maillane.theme');
  } catch {
    // Storage may be closed to us: then the system decides.
  }
  const dark = chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.classList.toggle('dark', dark);
})();
