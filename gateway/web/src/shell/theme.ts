/** The theme: the system's until the person chooses. theme.js reads the choice before the first paint. */

const STORED = 'maillane.theme';

export function isDark(): boolean {
  return document.documentElement.classList.contains('dark');
}

export function setDark(dark: boolean): void {
  localStorage.setItem(STORED, dark ? 'dark' : 'light');
  document.documentElement.classList.toggle('dark', dark);
}

/** Follows the system as long as nothing is chosen. */
export function followSystem(): void {
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', ({ matches }) => {
    if (!localStorage.getItem(STORED)) document.documentElement.classList.toggle('dark', matches);
  });
}
