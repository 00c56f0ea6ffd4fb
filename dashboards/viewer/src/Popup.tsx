// A button that opens a box under it: the focus moves in, and back on Escape; a click elsewhere or the focus' leaving closes it.
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from 'react';

interface Props {
  label: ReactNode;
  name: string;
  className?: string;
  children: (close: () => void) => ReactNode;
}

const EDGE = 8;
const HEIGHT_MIN = 160;
const CHOSEN = '[aria-current], [aria-pressed=true], input:checked';
const FIRST = 'input, button, a';

export function Popup({ label, name, className, children }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const inside = useRef<HTMLDivElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useLayoutEffect(() => {
    if (!open || !inside.current) return;
    const shown = inside.current;
    keepInSight(shown);
    const watching = new ResizeObserver(() => keepInSight(shown));
    watching.observe(shown);
    const first = inside.current.querySelector<HTMLElement>(CHOSEN) ?? inside.current.querySelector<HTMLElement>(FIRST);
    first?.focus({ preventScroll: true });
    return () => watching.disconnect();
  }, [open]);
  useEffect(() => {
    if (!open) return;
    const pressed = (event: KeyboardEvent) => event.key === 'Escape' && close();
    const clicked = (event: PointerEvent) => box.current?.contains(event.target as Node) || setOpen(false);
    document.addEventListener('keydown', pressed);
    document.addEventListener('pointerdown', clicked);
    return () => {
      document.removeEventListener('keydown', pressed);
      document.removeEventListener('pointerdown', clicked);
    };
  }, [open]);
  const left = (event: React.FocusEvent) => {
    if (event.relatedTarget && !box.current?.contains(event.relatedTarget as Node)) setOpen(false);
  };
  return (
    <div className={`popup ${className ?? ''}`} ref={box} onBlur={left}>
      <button type="button" ref={button} aria-expanded={open} aria-haspopup="dialog" aria-label={name}
        onClick={() => setOpen(!open)}>{label}</button>
      {open && <div className="popup-box" role="dialog" aria-label={name} ref={inside}>{children(close)}</div>}
    </div>
  );
}

/** Shift a box that would stick out at a side of the window, and let one scroll that is higher than the rest of it. */
function keepInSight(box: HTMLElement) {
  box.style.removeProperty('translate');
  const { left, right, top } = box.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const shift = right > width - EDGE ? width - EDGE - right : left < EDGE ? EDGE - left : 0;
  // A box wider than the window begins at its edge.
  if (shift) box.style.setProperty('translate', `${Math.round(Math.max(shift, EDGE - left))}px`);
  box.style.setProperty('max-height', `${Math.max(Math.floor(window.innerHeight - top - EDGE), HEIGHT_MIN)}px`);
}
