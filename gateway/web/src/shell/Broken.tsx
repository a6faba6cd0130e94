import { Component } from 'react';
import type { ReactNode } from 'react';
import { useLocation } from 'react-router';
import { Button } from '../components/Button';
import { EmptyState } from '../components/EmptyState';

/** Stands for a screen that broke, or whose file is of a version that is gone: loading the page anew mends both. Elsewhere it is forgotten. */
export function Broken({ children }: { children: ReactNode }) {
  return <Boundary at={useLocation().pathname}>{children}</Boundary>;
}

class Boundary extends Component<{ at: string; children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override componentDidUpdate(before: { at: string }) {
    if (this.state.broken && before.at !== this.props.at) this.setState({ broken: false });
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return (
      <div role="alert">
        <EmptyState title="This page broke" actions={<Button onClick={() => location.reload()}>Load it again</Button>}>
          Sending does not need this page, and goes on. There may be a newer version of it.
        </EmptyState>
      </div>
    );
  }
}
