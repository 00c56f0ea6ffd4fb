// Starts the page, once its letters are there: Grafana's components measure texts before they draw them.
import { createRoot } from 'react-dom/client';
import { App } from './App';
import { followLinks } from './location';
import './style.css';

const FONT_MS_MAX = 500;

async function start() {
  const letters = ['400 14px Inter', '500 14px Inter', '600 14px Inter'].map((font) => document.fonts.load(font));
  await Promise.race([Promise.allSettled(letters), new Promise((done) => setTimeout(done, FONT_MS_MAX))]);
  followLinks();
  createRoot(document.getElementById('root')!).render(<App />);
}

void start();
