// Evaluated in the page: every text that is seen with too little contrast to what is behind it (WCAG 2.2, 1.4.3).
// Controls that are disabled are exempt there; placeholders are not.
() => {
  const brush = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", {
    willReadFrequently: true,
  });
  const rgba = (colour) => {
    brush.clearRect(0, 0, 1, 1);
    brush.fillStyle = colour;
    brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
  };
  const over = ([r, g, b, a], [s, h, c, d]) => {
    const alpha = a + d * (1 - a);
    const mixed = (top, under) => (alpha ? (top * a + under * d * (1 - a)) / alpha : 0);
    return [mixed(r, s), mixed(g, h), mixed(b, c), alpha];
  };
  // What a colour on top of an element becomes, through the backgrounds and the opacity of all that hold it.
  const seen = (colour, element) => {
    for (let node = element; node; node = node.parentElement) {
      const { backgroundColor, opacity } = getComputedStyle(node);
      colour = over(colour, rgba(backgroundColor));
      colour[3] *= Number(opacity);
    }
    return over(colour, rgba("Canvas"));
  };
  const luminance = ([...rgb]) => {
    const [r, g, b] = rgb.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const hidden = (element) => {
    for (let node = element; node; node = node.parentElement) {
      const { width, height } = node.getBoundingClientRect();
      if (getComputedStyle(node).display !== "contents" && (width <= 1 || height <= 1)) return true; // for screen readers
    }
    return !element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  };
  const texts = []; // of an element: the words, and the style that they have
  for (const element of document.querySelectorAll("body, body *")) {
    if (element.matches("script, style, noscript, option") || element.matches(":disabled") || hidden(element)) continue;
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    texts.push([element, own.map((node) => node.data).join(" "), null]);
    if (element.matches("input:not([type=range]):not([type=radio]), textarea")) {
      texts.push(element.value ? [element, element.value, null] : [element, element.placeholder, "::placeholder"]);
    }
    for (const pseudo of ["::before", "::after"]) {
      texts.push([element, getComputedStyle(element, pseudo).content.match(/^"(.*)"|^counter/)?.[0] ?? "", pseudo]);
    }
  }
  const written = texts.filter(([, words]) => words.replace(/^"|"$/g, "").trim());
  const faint = [];
  for (const [element, words, pseudo] of written) {
    const { color, fontSize, fontWeight, opacity } = getComputedStyle(element, pseudo);
    const top = rgba(color);
    if (pseudo) top[3] *= Number(opacity);
    const large = parseFloat(fontSize) >= (Number(fontWeight) >= 700 ? 18.66 : 24);
    const found = contrast(seen(top, element), seen([0, 0, 0, 0], element));
    if (found < (large ? 3 : 4.5)) {
      const holder = element.closest("[id]")?.id;
      faint.push(`${found.toFixed(2)}: "${words.trim().slice(0, 40)}" ${pseudo ?? ""} (${element.localName}.${element.className} in #${holder})`);
    }
  }
  return faint;
}
