// A button that opens a box under it; closes on Escape, on a click elsewhere, and when the focus leaves.
import { type ReactNode, useEffect, useRef, useState } from 'react';

interface Props {
  label: ReactNode;
  name: string;
  className?: string;
  children: (close: () => void) => ReactNode;
}

export function Popup({ label, name, className, children }: Props) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
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
      {open && <div className="popup-box" role="dialog" aria-label={name}>{children(close)}</div>}
    </div>
  );
}
